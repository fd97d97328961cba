// What is said of real architectures: [English, Chinese].

export const MODEL_TEXT = {
  linearLayer: ["linear layer, no map", "线性层，无注意力图"],
  otherLayer: ["no attention of this kind, no map", "无此类注意力，无注意力图"],
  mixerTitle: ["{label} ({mixer})", "{label}（{mixer}）"],
  captionLinear: ["linear layers without a map: {layers}", "无注意力图的线性层：{layers}"],
  captionOther: ["layers without a map: {layers}", "无注意力图的层：{layers}"],
  sharedGroups: ["heads that share keys and values: {groups}", "共用键和值的头：{groups}"],
  sharesKeys: ["shares keys and values with heads {heads}", "与头 {heads} 共用键和值"],
  sharesKeysOne: ["shares keys and values with head {heads}", "与头 {heads} 共用键和值"],
  windowOf: ["sliding window: a token sees {n} {n|key|keys}, itself included", "滑动窗口：每个词元可见 {n} 个键（含自身）"],
  windowBothWays: ["sliding window: a token sees keys fewer than {n} away", "滑动窗口：每个词元可见距离小于 {n} 的键"],
  windowLonger: ["sliding window of {n} {n|key|keys}, longer than this text", "滑动窗口为 {n} 个键，长于此文本"],
  crossAttention: ["{queries} {queries|query looks|queries look} at {keys} {keys|key|keys} of another text", "{queries} 个查询关注另一文本的 {keys} 个键"],
  captionGrown: ["rows of {n} decoding {n|step|steps}", "{n} 个解码步的行"],
  statisticsOfStep: ["means over the rows of this step only, exact", "仅对这一步的行取平均，精确值"],
} as const;
