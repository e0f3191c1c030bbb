// The demo under test: started on ports of its own, asked about its bank, and stopped.

import { spawn } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

// How long everything may take to listen, and to stop, in milliseconds.
const READY_WITHIN = 30_000;
const STOPPED_WITHIN = 10_000;

/** Starts `program`, whose troubles are written to `log`; the answer holds the addresses it prints. */
export async function startDemo(program, log) {
  const child = spawn(program, ['serve', '--port', '0', '--json'], { stdio: ['ignore', 'pipe', openSync(log, 'w')] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const line = await new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('the demo is not ready')), READY_WITHIN);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the demo ended with ${code} before it was ready; see ${log}`)));
    createInterface({ input: child.stdout }).once('line', (first) => {
      clearTimeout(late);
      resolve(first);
    });
  });
  return new Demo(child, ended, log, JSON.parse(line));
}

class Demo {
  /** Ends when nobody needs the bank to misbehave any more. */
  #faults = Promise.resolve();

  constructor(child, ended, log, addresses) {
    Object.assign(this, { child, ended, log }, addresses);
  }

  /** What the portal's own backend found wrong. */
  troubles() {
    return readFileSync(this.log, 'utf8').split('\n').filter((line) => line.startsWith('portal:'));
  }

  /** What the bank booked for an order of the portal. */
  async ledger(order) {
    return this.#manage(`/ledger?reference_prefix=${this.#prefix(order)}`);
  }

  /** Does `work` while the bank hangs up on every question about an order; one order at a time. */
  whileSilent(order, work) {
    return this.#whileFaulty({ host: 'both', action: 'drop_before_commit', times: 10_000 }, order, work);
  }

  /** Does `work` while the bank refuses every refund of an order. */
  whileRefundsAreRefused(order, work) {
    return this.#whileFaulty({ type: '00014', action: 'code', code: '00151', times: 10_000 }, order, work);
  }

  #whileFaulty(fault, order, work) {
    const armed = { target: 'direct', reference: this.#prefix(order), ...fault };
    const turn = this.#faults.then(async () => {
      await this.#manage('/faults', { method: 'POST', body: JSON.stringify(armed) });
      try {
        await work();
      } finally {
        await this.#manage('/faults', { method: 'DELETE' });
      }
    });
    this.#faults = turn.catch(() => {});
    return turn;
  }

  /** Asks the gateway and the sandbox to end as Ctrl-C does. */
  async stop() {
    this.child.kill('SIGTERM');
    const late = new Promise((resolve) => setTimeout(resolve, STOPPED_WITHIN, 'late').unref());
    if ((await Promise.race([this.ended, late])) === 'late') this.child.kill('SIGKILL');
  }

  #prefix(order) {
    return `${this.reference_prefix}-${order.replace('ord_', '')}-`;
  }

  async #manage(path, request) {
    const answer = await fetch(`${this.manage}${path}`, { ...request, signal: AbortSignal.timeout(5_000) });
    if (!answer.ok) throw new Error(`${path}: HTTP ${answer.status} ${await answer.text()}`);
    return answer.json();
  }
}
