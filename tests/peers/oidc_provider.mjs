// A certified OpenID provider (npm oidc-provider): client credentials, RS256 tokens, short lives.
//
// usage: node oidc_provider.mjs [ACCESS_TOKEN_SECONDS]
//
// The first line of output is `ready ISSUER`. It knows one client that authenticates by HTTP Basic, whose secret has every
// character that RFC 6749 section 2.3.1 wants encoded, and one that authenticates in the body.
import { generateKeyPairSync } from 'node:crypto';
import http from 'node:http';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(`${process.env.PEERS_NPM ?? process.cwd()}/`);
const { default: Provider } = await import(pathToFileURL(require.resolve('oidc-provider')).href);

const life = Number(process.argv[2] ?? 3600);
const server = http.createServer();
await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });
const machine = { grant_types: ['client_credentials'], redirect_uris: [], response_types: [], scope: 'invoke read' };
const resource = 'urn:agentcore';
const provider = new Provider(issuer, {
  jwks: { keys: [{ ...key, use: 'sig', alg: 'RS256', kid: 'k1' }] },
  clients: [
    { ...machine, client_id: 'm2m', client_secret: 's3cr3t+/= &%', token_endpoint_auth_method: 'client_secret_basic' },
    { ...machine, client_id: 'm2mpost', client_secret: 'postsecret', token_endpoint_auth_method: 'client_secret_post' },
  ],
  scopes: ['invoke', 'read', 'openid', 'offline_access'],
  ttl: { ClientCredentials: life },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: async () => resource,
      useGrantedResource: async () => true,
      getResourceServerInfo: async (_, audience) => ({
        scope: 'invoke read', audience, accessTokenFormat: 'jwt', accessTokenTTL: life, jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
});
provider.on('server_error', (_, error) => console.error(error));
server.on('request', provider.callback());
console.log(`ready ${issuer}`);
