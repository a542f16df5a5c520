/** The drill's part of the export bucket, kept in memory: for a drill from a machine, whose operator may write nothing there. */

import { type DrillBucket, type DrillState, FIRST_STATE } from "./drill-state";

export class MemoryDrillBucket implements DrillBucket {
  readonly reports = new Map<string, string>();
  private state: DrillState = FIRST_STATE;
  private version = 0;

  async load() {
    return { state: this.state, version: String(this.version) };
  }

  async save(state: DrillState, version: string | undefined): Promise<string | undefined> {
    if (version !== String(this.version)) return undefined;
    this.state = state;
    this.version += 1;
    return String(this.version);
  }

  async putOnce(key: string, text: string): Promise<string> {
    const stored = this.reports.get(key) ?? text;
    this.reports.set(key, stored);
    return stored;
  }

  async read(key: string): Promise<string | undefined> {
    return this.reports.get(key);
  }
}
