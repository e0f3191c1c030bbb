// A student at a browser: opens the portal, types, presses buttons, and keeps what was seen.

import assert from 'node:assert/strict';
import path from 'node:path';

import { checkPage } from './checks.mjs';

// The sandbox's test cards; its README lists them.
export const CARDS = {
  ordinary: '1111222233334444',
  challenged: '4012001037141112',
  frictionless: '5200000000000007',
  insufficient: '4970100000000154',
  virtual: '4150550000000004',
  emptyLater: '4970100000000519',
};

/** How long a page, or a word on it, may take, in milliseconds. */
const PATIENCE = 15_000;

/** Cents of an amount as the portal (French or English) or PAYBOX writes it. */
export function cents(text) {
  const digits = text.replace(/[^\d.,\u2212]/g, '');
  assert.match(digits, /^\u2212?[\d,.]*[.,]\d{2}$/, `an amount: ${JSON.stringify(text)}`);
  const value = Number(digits.replace(/\D/g, ''));
  return digits.startsWith('\u2212') ? -value : value;
}

export class Payer {
  /** What the browser complained about. */
  complaints = [];
  /** Statuses of pages that are right to be no 200, each allowed once. */
  expected = [];
  language = 'fr';
  shots = 0;

  constructor(page, demo, name, folder) {
    Object.assign(this, { page, demo, name, folder });
    page.setDefaultTimeout(PATIENCE);
    page.on('console', (message) => {
      // Browsers ask every site for one; the gateway and PAYBOX have none.
      if (message.location().url.endsWith('/favicon.ico')) return;
      const [status] = message.text().match(/status of \d+/) ?? [];
      const place = this.expected.findIndex((known) => status === `status of ${known}`);
      if (place >= 0) this.expected.splice(place, 1);
      else if (message.type() === 'error' || message.type() === 'warning') this.complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('request', (request) => {
      const url = request.url();
      const own = [demo.portal, demo.gateway, demo.page].some((origin) => url.startsWith(`${origin}/`));
      if (!own) this.complaints.push(`asked for ${url}`);
      if (url.startsWith(`${demo.gateway}/pay/`)) this.link = url;
    });
  }

  /** Opens a page of the portal. */
  async open(where) {
    await this.page.goto(`${this.demo.portal}${where}`);
  }

  /** Judges the page and keeps its picture. PAYBOX's own pages are French. */
  async look(what) {
    const isOurs = this.page.url().startsWith(`${this.demo.portal}/`);
    const isBanks = this.page.url().startsWith(`${this.demo.page}/`);
    this.shots += 1;
    const file = `${this.name}-${this.shots}-${what}.png`;
    await this.page.screenshot({ path: path.join(this.folder, file), fullPage: true });
    await checkPage(this.page, { language: isBanks ? 'fr' : this.language, isOurs });
  }

  async text(selector) {
    return (await this.page.locator(selector).innerText()).trim();
  }

  async cents(selector) {
    return cents(await this.text(selector));
  }

  async press(name) {
    await this.page.getByRole('button', { name }).click();
  }

  async follow(name) {
    await this.page.getByRole('main').getByRole('link', { name }).click();
  }

  /** Chooses a fee category; remembers the order it became. */
  async choose(code) {
    await this.open('/dossier');
    await this.page.locator(`input[value=${code}]`).check();
    await this.page.locator('main button').click();
    await this.page.waitForURL('**/commandes/*');
    this.order = this.page.url().split('/').pop();
  }

  async pickAddress(mode) {
    await this.page.locator(`input[name=mode][value=${mode}]`).check();
  }

  async type(panel, fields) {
    for (const [field, value] of Object.entries(fields)) {
      const control = this.page.locator(`#${panel}-${field}`);
      if (field === 'country') await control.selectOption(value);
      else await control.fill(value);
    }
  }

  /** From the recap to PAYBOX's card page; without script the gateway's page has a button for it. */
  async goToBank() {
    await this.page.locator('main form button').click();
    if (this.hasNoScript) {
      await this.page.waitForURL(`${this.demo.gateway}/pay/**`);
      await this.look('vers-paybox');
      await this.page.locator('main form button').click();
    }
    await this.atBank();
  }

  async atBank() {
    await this.page.waitForURL(`${this.demo.page}/page/**`);
    await this.page.locator('#numero').waitFor();
  }

  /** Cents as PAYBOX's page says them. */
  async bankAmount() {
    return this.cents('.amount');
  }

  async typeCard(number) {
    await this.page.locator('#numero').fill(number);
    await this.page.locator('#cvv').fill('123');
    await this.page.locator('#mois').selectOption('12');
    await this.page.locator('select[name=AN_VALIDITE]').selectOption({ index: 3 });
    await this.press('Valider');
  }

  async passChallenge() {
    await this.page.locator('#code').fill(await this.text('#code_attendu'));
    await this.press('Valider');
  }

  async returnToShop() {
    this.back = await this.page.locator('#retour_boutique').getAttribute('href');
    await this.page.locator('#retour_boutique').click();
    await this.page.waitForURL(`${this.demo.portal}/retour**`);
  }

  /** The verdict, once it is this one; asks again as a payer would while the bank is asked. */
  async verdict(expected, refreshes = 0) {
    for (let left = refreshes; ; left -= 1) {
      const seen = await this.text('#resultat');
      if (seen === expected || left <= 0) {
        assert.equal(seen, expected, 'the result');
        return;
      }
      await this.page.waitForTimeout(500);
      await this.page.locator('#actualiser').click();
      await this.page.waitForLoadState();
    }
  }

  /** The bank has captured exactly `total` once for the present order, and the portal says the same everywhere. */
  async isPaid(total) {
    await this.verdict(this.language === 'fr' ? 'Paiement accepté' : 'Payment accepted', 6);
    assert.equal(await this.cents('#total'), total, 'the total of the result');
    assert.equal(await this.cents('#regle'), total, 'paid, by the result');
    const { operations, totals } = await this.demo.ledger(this.order);
    assert.equal(totals.captured, total, 'captured at the bank');
    assert.equal(totals.net, total, 'kept at the bank');
    const captured = operations.filter((operation) => operation.captured > 0);
    assert.equal(captured.length, 1, 'captures at the bank');
    assert.equal(await this.text('#transaction'), String(captured[0].numtrans), 'the transaction');
  }

  /** Nothing was taken for the present order. */
  async isUnpaid() {
    const { totals } = await this.demo.ledger(this.order);
    assert.equal(totals.captured, 0, 'captured at the bank');
  }

  /** The account position: what is owed, what was paid, and what that leaves. */
  async hasPosition(debit, credit) {
    await this.open('/position');
    assert.equal(await this.cents('#debit'), debit, 'debit');
    assert.equal(await this.cents('#credit'), credit, 'credit');
    assert.equal(await this.cents('#surplus'), 0, 'surplus');
    assert.equal(await this.cents('#position'), credit - debit, 'position');
    await this.look('position');
  }

  /** The browser had nothing to complain about. */
  isContent() {
    assert.deepEqual(this.complaints, [], 'the browser’s complaints');
    assert.deepEqual(this.expected, [], 'statuses that did not come');
  }
}
