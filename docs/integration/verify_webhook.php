<?php
// Verifies a webhook of guichet (Standard Webhooks 1.0). Needs nothing but PHP.
//
// As a program: the secret as argument, the headers as `name: value` lines, an empty line, then the body, on standard
// input. Exits with 0 when the webhook is genuine and fresh.
declare(strict_types=1);

const TOLERANCE_SECONDS = 5 * 60;

/** Whether $body came from guichet in the last five minutes. $headers have names in lower case. */
function verify(string $secret, array $headers, string $body, ?int $now = null): bool
{
    $id = $headers['webhook-id'] ?? '';
    $timestamp = $headers['webhook-timestamp'] ?? '';
    $signatures = $headers['webhook-signature'] ?? '';
    if ($id === '' || !ctype_digit($timestamp) || $signatures === '') {
        return false;
    }
    if (abs(($now ?? time()) - (int) $timestamp) > TOLERANCE_SECONDS) {
        return false;
    }
    $key = base64_decode(preg_replace('/^whsec_/', '', $secret), true);
    if ($key === false) {
        return false;
    }
    $expected = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $key, true));
    // While a secret is being rotated there are two signatures; one that matches is enough.
    foreach (explode(' ', $signatures) as $signature) {
        if (hash_equals($expected, $signature)) {
            return true;
        }
    }
    return false;
}

if (PHP_SAPI === 'cli' && realpath($argv[0]) === __FILE__) {
    [$head, $body] = explode("\n\n", stream_get_contents(STDIN), 2) + [1 => ''];
    $headers = [];
    foreach (explode("\n", $head) as $line) {
        [$name, $value] = explode(':', $line, 2) + [1 => ''];
        $headers[strtolower(trim($name))] = trim($value);
    }
    exit(verify($argv[1], $headers, $body) ? 0 : 1);
}
