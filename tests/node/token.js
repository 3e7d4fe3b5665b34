// token.js: what the official library says of access tokens. Reads {account, key, secret, app,
// token, region (or none)} and prints {claims, same}: the claims if signature and times are right, and whether the
// library itself would have written the very same token.
'use strict';

const {AccessToken} = require('twilio').jwt;
const jsonwebtoken = require(require.resolve('jsonwebtoken', {paths: [require.resolve('twilio')]}));

const want = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const claims = jsonwebtoken.verify(want.token, want.secret, {algorithms: ['HS256'], issuer: want.key, subject: want.account});

Date.now = () => claims.iat * 1000;
const token = new AccessToken(want.account, want.key, want.secret, {identity: claims.grants.identity, ttl: claims.exp - claims.iat,
	...(want.region && {region: want.region})});
token.addGrant(new AccessToken.VoiceGrant({incomingAllow: true, outgoingApplicationSid: want.app}));
console.log(JSON.stringify({claims, same: token.toJwt() === want.token}));
