// signatures.js: what the official library says of signed requests. Reads {token, requests:
// [{url, params, signature}]} and prints for each [right, of another token, of another URL, with
// another parameter].
'use strict';

const {validateRequest} = require('twilio');
const {token, requests} = JSON.parse(require('fs').readFileSync(0, 'utf8'));

console.log(JSON.stringify(requests.map(({url, params, signature}) => [
	validateRequest(token, signature, url, params),
	validateRequest(token + 'x', signature, url, params),
	validateRequest(token, signature, url + (url.includes('?') ? '&' : '?') + 'more=1', params),
	validateRequest(token, signature, url, {...params, CallSid: 'CA' + '0'.repeat(32)}),
])));
