// Verifies a webhook of guichet (Standard Webhooks 1.0). Needs nothing but Node.
//
// As a program: the secret as argument, the headers as `name: value` lines, an empty line, then the body, on standard
// input. Exits with 0 when the webhook is genuine and fresh.
'use strict';

const { createHmac, timingSafeEqual } = require('node:crypto');

const TOLERANCE_SECONDS = 5 * 60;

// Whether `body` (a Buffer) came from guichet in the last five minutes. `headers` have names in lower case.
function verify(secret, headers, body, now = Date.now() / 1000) {
  const id = headers['webhook-id'];
  const timestamp = headers['webhook-timestamp'];
  const signatures = headers['webhook-signature'];
  if (!id || !/^\d+$/.test(timestamp ?? '') || !signatures) return false;
  if (Math.abs(now - Number(timestamp)) > TOLERANCE_SECONDS) return false;
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const mac = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64');
  const expected = Buffer.from(`v1,${mac}`);
  // While a secret is being rotated there are two signatures; one that matches is enough.
  return signatures.split(' ').some((signature) => {
    const given = Buffer.from(signature);
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}

module.exports = { verify };

if (require.main === module) {
  const input = require('node:fs').readFileSync(0);
  const end = input.indexOf('\n\n');
  const headers = {};
  for (const line of input.subarray(0, end).toString().split('\n')) {
    const colon = line.indexOf(':');
    headers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
  }
  process.exit(verify(process.argv[2], headers, input.subarray(end + 2)) ? 0 : 1);
}
