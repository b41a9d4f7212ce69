<?php

// Whether a request is genuine. The names of $headers are in lower case; $body is what arrived, byte for byte:
// file_get_contents('php://input').
function verify(string $secret, array $headers, string $body): bool
{
    $id = $headers['webhook-id'] ?? '';
    $timestamp = $headers['webhook-timestamp'] ?? '';
    if (abs(time() - (int) $timestamp) > 300) {
        return false; // too old, or a clock is wrong
    }
    $key = base64_decode(preg_replace('/^whsec_/', '', $secret));
    $mac = hash_hmac('sha256', "{$id}.{$timestamp}.{$body}", $key, true);
    $expected = 'v1,' . base64_encode($mac);
    // There are several while a secret is replaced.
    foreach (explode(' ', $headers['webhook-signature'] ?? '') as $signature) {
        if (hash_equals($expected, $signature)) {
            return true;
        }
    }
    return false;
}
