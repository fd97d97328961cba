// Which heads are alike: [English, Chinese].

export const SIMILAR_TEXT = {
  similarName: ["most similar head", "最相似的头"],
  similarDefinition: [
    "Of all heads of all layers of this step, the one whose map is nearest, and the Jensen-Shannon distance to it: square root of the " +
      "divergence in bits, mean over real query rows, of the raw weights as they are stored, with sinks; 0 = equal, so one of the two is redundant, 1 = disjoint.",
    "在该步所有层的所有头中，注意力图与之最接近的一个，及其詹森-香农距离：以比特计的散度的平方根，对真实查询行取平均，按所存储的含汇点原始权重计算；" +
      "0 = 相同，即两者之一多余，1 = 完全不相交。",
  ],
  similarShow: ["Show layer {layer} head {head}", "显示第 {layer} 层第 {head} 头"],
  similarBusy: ["Comparing each head with every other", "正在将各头两两比较"],
  similarWaiting: ["Compared when the player stops.", "停止播放后比较。"],
  similarAsk: ["Compare {n} {n|head|heads}", "比较 {n} 个头"],
  similarAskTitle: ["Each head with every other: the server takes seconds.", "各头两两比较：服务器需要数秒。"],
  similarAlone: ["There is no other head of this shape with rows to compare.", "没有其他形状相同且有可比较行的头。"],
  similarBlocks: ["The weights of this head were not stored one by one.", "未逐个存储该头的权重。"],
  similarFailed: ["Not compared: {reason}", "未比较：{reason}"],
  toolAlike: ["Alike", "相似"],
  alikeCaption: ["Heads of {run} and the most similar one of each, step {step}, {of}", "{run} 第 {step} 步各头及其最相似的头，{of}"],
  alikeMean: ["mean over {n} {n|example|examples}", "{n} 个样例的平均"],
  alikeOther: ["most similar", "最相似"],
  alikeNone: ["No head has another one to be compared with at this step.", "该步没有可相互比较的头。"],
  alikeNoRecord: ["{run} logged nothing up to this step.", "{run} 到该步为止没有任何记录。"],
} as const;
