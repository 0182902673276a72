//! What `acore help` explains besides the commands: who is calling, the environment, the exit codes. Does nothing.

use clap::Args;

/// Who is calling: each way in, whole
#[derive(Args)]
#[command(hide = true, long_about = IDENTITY)]
pub(super) struct IdentityTopic {}

/// The environment variables that are read
#[derive(Args)]
#[command(hide = true, long_about = ENVIRONMENT)]
pub(super) struct EnvironmentTopic {}

/// What the exit codes mean
#[derive(Args)]
#[command(hide = true, long_about = EXIT_CODES)]
pub(super) struct ExitCodesTopic {}

const IDENTITY: &str = "\
A runtime takes tokens or AWS signatures, as it was configured; a local container and the mock need neither. Exactly one way in is in \
force: a flag beats a variable, a variable beats the context of the configuration file, and that beats the last login; two of the same \
level are an error.

A token that you have: --bearer-token, AGENTCORE_BEARER_TOKEN, or --bearer-token - for standard input.
A program that prints one: --token-command.
AWS credentials: --sigv4, with --profile or the standard AWS environment.
A user of a Cognito pool: --cognito-client-id, --cognito-pool-id, --cognito-username. `acore login` asks for the password once; \
AGENTCORE_COGNITO_PASSWORD, _REFRESH_TOKEN, _CLIENT_SECRET and _NEW_PASSWORD say the rest.
A machine: --oauth-issuer or --oauth-token-url, --oauth-client-id, and AGENTCORE_OAUTH_CLIENT_SECRET.

Secrets come from the environment, from standard input or from a terminal: a list of processes shows flags. A bearer token on the command \
line is for trials.";

const ENVIRONMENT: &str = "\
Every flag can be set by a variable, AGENTCORE_ and its name: AGENTCORE_QUALIFIER for --qualifier. The command line wins, and an empty \
variable counts as not set. With --mock, the environment's agent, endpoint and credentials are ignored.

Also read are AGENTCORE_RUNTIME_ARN (--arn), AWS_REGION, AWS_ENDPOINT_URL_BEDROCK_AGENTCORE, BEDROCK_AGENTCORE_BEARER_TOKEN, HTTPS_PROXY \
and NO_PROXY, SSL_CERT_FILE, NO_COLOR, RUST_LOG, XDG_CONFIG_HOME, XDG_STATE_HOME, and the AWS SDKs' own.

Secrets are read from the environment only: AGENTCORE_COGNITO_CLIENT_SECRET, AGENTCORE_COGNITO_PASSWORD, AGENTCORE_COGNITO_REFRESH_TOKEN, \
AGENTCORE_COGNITO_NEW_PASSWORD, AGENTCORE_OAUTH_CLIENT_SECRET, AGENTCORE_TOKEN_STORE_KEY.";

const EXIT_CODES: &str = "\
0  done
1  this program or its machine failed
2  usage or bad input; nothing was sent
3  authentication or authorization refused
4  throttled or unavailable
5  timeout
6  the agent or the service failed
7  the answer broke off midway; what arrived is already printed
130  interrupted

`acore exec` and `acore shell` end with the exit code of what ran there.";
