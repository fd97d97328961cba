// Statistics and rules that the page knows by name: [English, Chinese]. What it does not know is shown
// as it was stored.

type Pair = readonly [string, string];

export interface StatisticText {
  readonly name: Pair;
  readonly definition: Pair;
  /** How its values read. */
  readonly unit: "bits" | "share" | "tokens" | "count" | "number";
}

export const STATISTIC_TEXT: Readonly<Record<string, StatisticText>> = {
  entropy: {
    name: ["entropy", "熵"],
    definition: [
      "−Σ w log₂ w of a row, in bits: 0 = all weight on one token, log₂ of the number of keys = spread evenly.",
      "每行的 −Σ w log₂ w，以比特计：0 = 全部权重在一个词元上，键数的 log₂ = 均匀分布。",
    ],
    unit: "bits",
  },
  max: {
    name: ["largest weight", "最大权重"],
    definition: ["Largest weight of a row: how sure the head is.", "一行中的最大权重：该头有多确定。"],
    unit: "share",
  },
  first_token: {
    name: ["first token", "首词元"],
    definition: [
      "Weight on the first real token. Near 1: an attention sink, the head's way of doing nothing.",
      "第一个真实词元上的权重。接近 1：注意力汇点，即该头“什么都不做”的方式。",
    ],
    unit: "share",
  },
  diagonal: {
    name: ["itself", "自身"],
    definition: ["Weight of a token on itself.", "词元对自身的权重。"],
    unit: "share",
  },
  previous_token: {
    name: ["previous token", "前一词元"],
    definition: ["Weight of a token on the one before it.", "词元对前一个词元的权重。"],
    unit: "share",
  },
  distance: {
    name: ["mean distance", "平均距离"],
    definition: ["Σ w |query − key| of a row, in tokens.", "每行的 Σ w |查询 − 键|，以词元计。"],
    unit: "tokens",
  },
  padding: {
    name: ["on padding", "填充"],
    definition: [
      "Weight on keys that the mask marks as padding; 0 in a correct model. Needs mask=.",
      "掩码标为填充的键上的权重；正确的模型应为 0。需要 mask=。",
    ],
    unit: "share",
  },
  above_diagonal: {
    name: ["on later tokens", "后续词元"],
    definition: [
      "Weight on keys after the query; 0 in a causal model.",
      "查询之后的键上的权重；因果模型应为 0。",
    ],
    unit: "share",
  },
  effective: {
    name: ["effective tokens", "有效词元数"],
    definition: [
      "2 to the power of a row's entropy: so many equally weighted tokens have that entropy.",
      "2 的熵次方：这么多个等权词元具有同样的熵。",
    ],
    unit: "tokens",
  },
  special: {
    name: ["on special tokens", "特殊词元"],
    definition: [
      "Weight on special tokens such as [CLS] or <s>. Needs tokens with their ids.",
      "落在 [CLS]、<s> 等特殊词元上的权重。需要带编号的词元。",
    ],
    unit: "share",
  },
  induction: {
    name: ["induction", "归纳"],
    definition: [
      "Weight on what came after the same token earlier, over the tokens that occurred before. Telling on random tokens that come twice (llmdebug.repeated_tokens); on ordinary text it also counts chance repeats.",
      "同一词元上次出现之后的词元所得的权重，只计先前出现过的词元。用重复一遍的随机词元（llmdebug.repeated_tokens）测量才有意义；普通文本中的偶然重复也会计入。",
    ],
    unit: "share",
  },
  row_sum_error: {
    name: ["row sum error", "行和误差"],
    definition: ["|Σ w − 1|, the largest over the rows.", "|Σ w − 1|，取各行中的最大值。"],
    unit: "number",
  },
  nan: { name: ["NaN", "NaN"], definition: ["How many weights are NaN.", "为 NaN 的权重数。"], unit: "count" },
  inf: { name: ["infinite", "无穷"], definition: ["How many weights are infinite.", "为无穷的权重数。"], unit: "count" },
};

export interface RuleText {
  readonly title: Pair;
  readonly why: Pair;
  readonly advice: Pair;
}

export const RULE_TEXT: Readonly<Record<string, RuleText>> = {
  "attention.not_finite": {
    title: ["NaN or infinite weights", "权重为 NaN 或无穷"],
    why: [
      "Everything computed from such a row is NaN, and so is the loss or soon will be.",
      "由这样的行算出的一切都是 NaN，损失也已经或即将如此。",
    ],
    advice: [
      "Look at the step before: a query row with every key masked, an overflow in half precision, or a learning rate that is too high.",
      "查看前一步：所有键都被掩去的查询行、半精度溢出，或学习率过高。",
    ],
  },
  "attention.row_sum": {
    title: ["Rows do not sum to 1", "行和不为 1"],
    why: [
      "Softmax rows sum to 1, so these are not attention weights, or something changed them.",
      "softmax 的每行之和为 1，所以这些不是注意力权重，或者被改动过。",
    ],
    advice: [
      "Log what softmax returned: not the logits, not the masked or averaged weights.",
      "请记录 softmax 的返回值：不要记录 logits，也不要记录掩码或平均后的权重。",
    ],
  },
  "attention.after_dropout": {
    title: ["Logged after dropout", "在 dropout 之后记录"],
    why: [
      "Zeros and sums that miss 1 come from dropout here, not from the model.",
      "此处的零和不等于 1 的和来自 dropout，而不是模型本身。",
    ],
    advice: [
      "Log a probe batch with training=False, or model.eval() in PyTorch.",
      "请用 training=False（PyTorch 中用 model.eval()）记录探测批次。",
    ],
  },
  "attention.above_diagonal": {
    title: ["Looks at later tokens", "看到了后续词元"],
    why: [
      "A causal model that sees the future predicts by copying: its loss is too good and it cannot generate.",
      "能看到未来的因果模型靠抄写来预测：损失好得不真实，却无法生成。",
    ],
    advice: [
      "Check that the causal mask is applied, has the right offset, and is added before softmax.",
      "检查因果掩码是否生效、偏移是否正确、是否加在 softmax 之前。",
    ],
  },
  "attention.padding_attended": {
    title: ["Weight on padding", "权重落在填充上"],
    why: [
      "What the model says then depends on how much padding the batch happens to have.",
      "模型的输出因而取决于这一批碰巧有多少填充。",
    ],
    advice: [
      "Pass the attention mask to the model (and position ids, when the padding is on the left).",
      "把注意力掩码传给模型（填充在左侧时还要传位置编号）。",
    ],
  },
  "attention.cross_document": {
    title: ["Looks into another document", "看到了另一篇文档"],
    why: [
      "Unrelated texts that were packed together leak into each other.",
      "被拼接在一起的无关文本互相泄漏。",
    ],
    advice: [
      "Build a block-diagonal mask from the document ids and pass it to the model.",
      "由文档编号构造块对角掩码并传给模型。",
    ],
  },
  "log.records_lost": {
    title: ["Records could not be written", "有记录未能写入"],
    why: [
      "The steps that are missing were logged; they are not a fault of the model.",
      "缺少的步已经记录过，只是没有写入；这不是模型的问题。",
    ],
    advice: ["Make room on the disk, or mend its path or permissions.", "请腾出磁盘空间，或修正路径与权限。"],
  },
  "log.invalid_call": {
    title: ["A call could not be logged", "有一次调用未能记录"],
    why: ["What it was to show is missing here; training went on.", "它本应显示的内容在此缺失；训练没有受影响。"],
    advice: ["Mend the call as its message says.", "请按提示信息修正这次调用。"],
  },
  "probe.failed": {
    title: ["A probe failed", "一次探测失败"],
    why: ["The step has no maps of the probe; training went on.", "这一步没有探测的注意力图；训练没有受影响。"],
    advice: ["Try the probe by hand with llmdebug.log_probe.", "请用 llmdebug.log_probe 手动试一次该探测。"],
  },
};
