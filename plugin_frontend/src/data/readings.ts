// What is read as it was logged, and kept by whoever asked: attributions and anomalies.
import { AnomaliesResponse, AttributionsResponse } from "../gen/tb_llmdebug/plugin/view_pb";
import { parse } from "./message";
import { anomalyGroupInfo, attributionsData } from "./translate";
import type { Transport } from "./transport";
import type { AnomalyGroupInfo, AttributionsData } from "./types";

export interface Abortable {
  readonly signal?: AbortSignal | undefined;
}

export class Readings {
  constructor(protected readonly transport: Transport) {}

  async attributions(series: string, example: number, { signal }: Abortable = {}): Promise<AttributionsData> {
    const { body } = await this.transport.get("attributions", [["series", series], ["example", String(example)]], signal);
    return attributionsData(parse(AttributionsResponse, body));
  }

  async anomalies({ signal }: Abortable = {}): Promise<AnomalyGroupInfo[]> {
    const { body } = await this.transport.get("anomalies", [], signal);
    return parse(AnomaliesResponse, body).groups.map(anomalyGroupInfo);
  }
}
