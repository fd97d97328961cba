// How one head is shown: [English, Chinese].

export const LENS_TEXT = {
  headBar: ["Head in focus", "当前的头"],
  sinksAside: ["Sinks aside", "移开汇点"],
  sinksTitle: [
    "The first real key and special tokens are left out, and each row is divided by what is left: w / (1 − mass). " +
      "Most heads put most of their weight there and mean nothing by it (attention sinks, Xiao et al. 2023). " +
      "Padding stays, so that weight on it is seen; so does the first token of another text, which is a word like any other.",
    "去掉首个真实键与特殊词元，每行除以剩余部分：w / (1 − 占比)。多数头把大部分权重放在那里而并无含义" +
      "（注意力汇点，Xiao 等，2023）。填充保留，以便看到落在其上的权重；另一文本的首词元也保留，它与其他词无异。",
  ],
  asideAxis: ["set aside", "已移开"],
  asideFirst: ["first token set aside: {share} of the weight", "已移开首词元：占权重 {share}"],
  asideSpecial: ["first and special tokens set aside: {share} of the weight", "已移开首词元与特殊词元：占权重 {share}"],
  asideBlocks: ["sinks not set aside: only blocks of weights were kept", "未移开汇点：仅保存了权重块"],
  asideMark: ["bar beside a head: share set aside", "头旁的条：移开的占比"],
  asideSame: ["sinks set aside on both sides, distances of the raw weights", "两侧均移开汇点，距离按原始权重计算"],
  asideDiffers: ["other tokens would be set aside in A than in B; show the sinks", "A 与 B 要移开的词元不同；请显示汇点"],
  asideRow: ["“{query}”: {share} set aside", "“{query}”：已移开 {share}"],
  asideRowChange: ["“{query}”: change of what is set aside {share}", "“{query}”：移开部分的变化 {share}"],
  asideUnknown: ["“{query}”: what was set aside holds NaN or Inf", "“{query}”：移开部分含 NaN 或 Inf"],
  asideNothingLeft: ["less than 1 % is left, which is not shown", "剩余不足 1 %，不予显示"],
  asideRaw: ["{weight} of the whole row", "占整行 {weight}"],
  asideToken: ["“{token}” is set aside; S shows it", "“{token}” 已移开；按 S 显示"],
  linesDrawnRest: ["{top}, {mass} of the rest drawn", "{top}，已画出剩余部分的 {mass}"],
  factAside: ["{value} set aside", "已移开 {value}"],
  edgesLabel: ["Edges", "边"],
  edgesTitle: [
    "Only the edges that make up this share of each row: the fewest keys whose weights sum to it. 100 % = all.",
    "仅显示构成每行该占比的边：权重之和达到它的最少的键。100 % = 全部。",
  ],
  edgesAll: ["all", "全部"],
  edgesBlocks: ["Only blocks of weights were kept of this head: its edges cannot be counted.", "该头仅保存了权重块：无法数边。"],
  edgesCount: ["{n} of {keys} {keys|key|keys}: {percent} %", "{keys} 个键中 {n} 个构成 {percent} %"],
  edgesCountChange: ["{n} of {keys} {keys|key|keys}: {percent} % of A or of B", "{keys} 个键中 {n} 个构成 A 或 B 的 {percent} %"],
  edgesOut: ["left out", "未画出"],
  rawTitle: ["Attention weights", "注意力权重"],
  rawFormula: ["softmax(q · k / √d) as it was logged; with sinks aside, w / (1 − mass).", "所记录的 softmax(q · k / √d)；移开汇点时为 w / (1 − 占比)。"],
  lensLabel: ["Beside it", "并排"],
  lensTitle: ["What stands beside the raw weights", "与原始权重并排显示的内容"],
  valueChip: ["× |value|", "× |值|"],
  meanChip: ["Mean", "均值"],
  rolloutChip: ["Rollout", "注意力展开"],
  valueTitle: ["Weight × norm of the value", "权重 × 值的范数"],
  valueScale: ["colours from −{limit} to +{limit}", "颜色范围 −{limit} 至 +{limit}"],
  valueFormula: [
    "a · |v|: how much of a key's value reaches the query. A large weight on a value near 0 moves nothing. " +
      "Kobayashi et al. 2020 also apply the output projection, which is not logged. Rows do not sum to 1; the scale " +
      "ends at the head's largest.",
    "a · |v|：键的值有多少到达查询。落在接近 0 的值上的大权重不起作用。Kobayashi 等（2020）还乘以输出投影，" +
      "此处未记录。各行之和不为 1；色标止于该头最大值。",
  ],
  valueMissing: ["No values were logged: pass values= to log_attention.", "未记录值：请向 log_attention 传入 values=。"],
  meanTitle: ["Mean over the examples", "各样例均值"],
  meanOf: ["Mean of {n} {n|example|examples}", "{n} 个样例的均值"],
  meanOfSome: ["Mean of {n} {n|example|examples}, of {least} in the last rows", "{n} 个样例的均值，末尾几行为 {least} 个"],
  meanFormula: [
    "Mean of this head's weights over all examples of the probe, real rows only: token i of each text against token i " +
      "of the others, counted from the first real one. What stays is what does not depend on the text.",
    "该头权重在探针全部样例上的均值，仅计真实行：各文本的第 i 个词元（自首个真实词元起数）相对应。留下的与文本无关。",
  ],
  rolloutTitle: ["Rollout up to layer {layer}", "至第 {layer} 层的注意力展开（rollout）"],
  rolloutFormula: [
    "Per layer the mean over its heads, half of it replaced by the identity for the residual connection, and the layers " +
      "multiplied (Abnar & Zuidema 2020). It says where information can have come from, not how much it counts. The same for " +
      "every head of a layer.",
    "每层取各头均值，其一半以单位阵代替残差连接，再将各层相乘（Abnar 与 Zuidema，2020）。它表明信息可能来自何处，" +
      "而非其作用大小。同层各头相同。",
  ],
  lensOtherTexts: [
    "A and B hold other texts beside this one, so a difference of their means would not be learning.",
    "A 与 B 除此文本外还含有不同的文本，其均值之差并非学习所致。",
  ],
  lensBlocks: ["Only blocks of weights were kept of this head.", "该头仅保存了权重块。"],
  lensShape: ["It has another shape than the map.", "其形状与该图不同。"],
  lensFailed: ["It could not be loaded. {reason}", "无法加载。{reason}"],
  exposureLabel: ["Top of the colour scale", "色标上限"],
  exposureTitle: [
    "Click or drag: the value under the pointer becomes the top of the scale, what is beyond it is marked ▴. Arrow keys too; " +
      "double click resets.",
    "点击或拖动：指针处的值成为色标上限，超出者标为 ▴。方向键亦可；双击复原。",
  ],
  ofLargest: ["{share} of largest", "最大值的 {share}"],
} as const;
