// The server's half of SRP by npm cognito-srp, which does all the arithmetic; this only speaks the JSON of Cognito's API.
//
// usage: node cognito_srp.mjs POOL_ID USERNAME PASSWORD
//
// The first line of output is `ready URL`. Its tokens are worth nothing: what it is good for is to tell passwords apart.
import { randomBytes } from 'node:crypto';
import http from 'node:http';
import { createRequire } from 'node:module';

const require = createRequire(`${process.env.PEERS_NPM ?? process.cwd()}/`);
const { UserPool } = require('cognito-srp');

const [poolId, username, password] = process.argv.slice(2);
const pool = new UserPool(poolId.split('_')[1]);
// The package hashes numbers at their full length, where Amazon's own clients and servers hash the shortest form. They agree
// on numbers that begin with no zero byte, so that only those are used: one exchange in a few hundred would differ.
const salt = randomBytes(16);
salt[0] |= 0x10;
const user = await pool.createUser({ username, password }, salt.toString('hex'));
const pending = new Map();

const even = hex => (hex.length % 2 ? `0${hex}` : hex);
const tokens = { AccessToken: 'a', IdToken: 'i', RefreshToken: 'r', ExpiresIn: 3600, TokenType: 'Bearer' };

const operations = {
  async InitiateAuth({ AuthFlow, AuthParameters: given }) {
    if (AuthFlow !== 'USER_SRP_AUTH' || given.USERNAME !== username) throw new Error('only this user, only by SRP');
    let challenge, session;
    do {
      challenge = await pool.getServerChallenge(user);
      session = challenge.getSession(even(given.SRP_A));
    } while (challenge.calculateB()[0] === 0 || session.key[0] === 0);
    const block = randomBytes(512).toString('base64');
    pending.set(block, session);
    // Without leading zeros, as the service writes numbers.
    const SRP_B = challenge.calculateB().toString('hex').replace(/^0+/, '');
    const names = { USERNAME: username, USER_ID_FOR_SRP: username };
    return {
      ChallengeName: 'PASSWORD_VERIFIER',
      ChallengeParameters: { ...names, SALT: user.salt, SRP_B, SECRET_BLOCK: block },
    };
  },
  async RespondToAuthChallenge({ ChallengeResponses: given }) {
    const block = given.PASSWORD_CLAIM_SECRET_BLOCK;
    const expected = pending.get(block)?.calculateSignature(block, given.TIMESTAMP);
    pending.delete(block);
    if (!expected || expected !== given.PASSWORD_CLAIM_SIGNATURE) throw new Error('Incorrect username or password.');
    return { AuthenticationResult: tokens, ChallengeParameters: {} };
  },
};

const server = http.createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const name = request.headers['x-amz-target']?.split('.')[1];
  let answer;
  try {
    answer = await operations[name](JSON.parse(Buffer.concat(chunks)));
  } catch ({ message }) {
    answer = { __type: 'NotAuthorizedException', message };
  }
  response.writeHead(answer.__type ? 400 : 200, { 'content-type': 'application/x-amz-json-1.1' });
  response.end(JSON.stringify(answer));
});
server.listen(0, '127.0.0.1', () => console.log(`ready http://127.0.0.1:${server.address().port}`));
