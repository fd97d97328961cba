// Generated messages -> the application's plain types.
import type {
  AnomalyGroup,
  AttributionsResponse,
  IndexResponse,
  ScalarsResponse,
} from "../gen/tb_llmdebug/plugin/view_pb";
import { Anomaly, type Check, type Tokens } from "../gen/tb_llmdebug/wire/record_pb";
import { decodeFloat32 } from "./float16";
import type {
  AnomalyGroupInfo,
  AnomalyInfo,
  AttributionsData,
  CheckInfo,
  IndexData,
  ScalarsData,
  TokenList,
} from "./types";

export function tokenList(message: Tokens): TokenList {
  const { text, ids } = message;
  return { text, ids, special: message.special.slice(), part: message.part.slice(), parts: message.parts.slice() };
}

export function checkInfo({ rule, state, reason }: Check): CheckInfo {
  return { rule, state, reason };
}

export function anomalyInfo(message: Anomaly): AnomalyInfo {
  return {
    rule: message.rule,
    severity: message.severity,
    message: message.message,
    why: message.why,
    advice: message.advice,
    observed: message.observed ?? null,
    threshold: message.threshold ?? null,
    example: message.example ?? null,
    layer: message.layer ?? null,
    head: message.head ?? null,
    query: message.query ?? null,
    key: message.key ?? null,
    headsAffected: message.headsAffected,
    headsChecked: message.headsChecked,
  };
}

export function indexData(message: IndexResponse): IndexData {
  return {
    generation: message.generation,
    scanning: message.scanning,
    runs: message.runs.map(({ name, series }) => ({
      name,
      series: series.map((one) => ({
        id: one.id,
        kind: one.kind,
        name: one.name,
        session: one.session,
        sessionStart: one.sessionStart,
        newest: one.newest,
        steps: one.steps.map(Number),
        wallTimes: one.wallTimes,
        mapStates: one.mapStates,
        severities: one.severities,
        examples: one.examples,
        workers: one.workers,
      })),
    })),
    problems: message.problems.map(({ run, file, message: text }) => ({ run, file, message: text })),
  };
}

export function attributionsData(message: AttributionsResponse): AttributionsData {
  const tokens = message.tokens.map(tokenList);
  return {
    error: message.error === "" ? null : message.error,
    steps: message.steps.map((one) => ({
      step: Number(one.step),
      ordinal: one.ordinal,
      method: one.method,
      rule: one.rule,
      quadratureSteps: one.quadratureSteps,
      baseline: one.baseline,
      target: one.target,
      output: one.output ?? null,
      baselineOutput: one.baselineOutput ?? null,
      delta: one.delta ?? null,
      scores: decodeFloat32(one.scores),
      tokens: tokens[one.tokens - 1] ?? null,
    })),
  };
}

export function anomalyGroupInfo(message: AnomalyGroup): AnomalyGroupInfo {
  const nothing = Anomaly.decode(new Uint8Array());
  return {
    run: message.run,
    series: message.series,
    name: message.name,
    kind: message.kind,
    firstStep: Number(message.firstStep),
    lastStep: Number(message.lastStep),
    steps: message.steps.map(Number),
    ordinals: message.ordinals,
    first: anomalyInfo(message.first ?? nothing),
    worst: anomalyInfo(message.worst ?? message.first ?? nothing),
    worstOrdinal: message.worstOrdinal,
  };
}

export function scalarsData(message: ScalarsResponse): ScalarsData {
  return { tags: message.tags, tag: message.tag, steps: message.steps.map(Number), values: message.values };
}
