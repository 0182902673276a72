//! What the flags decide, as a table; what a variable says is marked with `env:`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::{
    errors::Exit,
    flags::{Source, Sourced},
};

const ARN: &str = "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/x";
const ARN_AT_PROD: &str = "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/x/runtime-endpoint/prod";

/// What a list of `FLAG=VALUE` means.
fn context(words: &[&str]) -> Context {
    let (mut target, mut who) = (TargetFlags::default(), IdentityFlags::default());
    for word in words {
        let (source, word) = match word.strip_prefix("env:") {
            Some(word) => (Source::Variable("A_VARIABLE".to_owned()), word),
            None => (Source::Flag, *word),
        };
        let (flag, value) = word.split_once('=').unwrap_or((word, ""));
        let text = || Some(Sourced { value: value.to_owned(), source: source.clone() });
        let on = || Sourced { value: true, source: source.clone() };
        match flag {
            "arn" => target.arn = text(),
            "region" => target.region = text(),
            "qualifier" => target.qualifier = text(),
            "endpoint-url" => target.endpoint_url = text(),
            "local" => target.local = text(),
            "mock" => target.mock = on(),
            "bearer-token" => who.bearer_token = text(),
            "token-command" => who.token_command = text(),
            "sigv4" => who.sigv4 = on(),
            "profile" => who.profile = text(),
            #[cfg(feature = "cognito")]
            "cognito-client-id" => who.cognito.cognito_client_id = text(),
            #[cfg(feature = "cognito")]
            "cognito-pool-id" => who.cognito.cognito_pool_id = text(),
            #[cfg(feature = "cognito")]
            "cognito-region" => who.cognito.cognito_region = text(),
            #[cfg(feature = "cognito")]
            "cognito-username" => who.cognito.cognito_username = text(),
            #[cfg(feature = "cognito")]
            "cognito-flow" => {
                use crate::flags::Flow;
                let value = if value == "srp" { Flow::Srp } else { Flow::Password };
                who.cognito.cognito_flow = Some(Sourced { value, source: source.clone() });
            }
            "oauth-token-url" => who.oauth.oauth_token_url = text(),
            "oauth-issuer" => who.oauth.oauth_issuer = text(),
            "oauth-client-id" => who.oauth.oauth_client_id = text(),
            "oauth-scope" => who.oauth.oauth_scope = text(),
            _ => panic!("{flag} is no flag"),
        }
    }
    Context::new(target, who)
}

/// Whether this build knows all the flags of a case.
fn is_built(words: &[&str]) -> bool {
    cfg!(feature = "cognito") || !words.iter().any(|word| word.contains("cognito"))
}

fn route(words: &[&str]) -> Result<Route, Failure> {
    context(words).route_by(|_| None)
}

#[test]
fn where_to_and_as_whom() {
    let arn = format!("arn={ARN}");
    let at_prod = format!("arn={ARN_AT_PROD}");
    let env_arn = format!("env:arn={ARN}");
    let env_at_prod = format!("env:arn={ARN_AT_PROD}");
    let host = "https://bedrock-agentcore.us-east-1.amazonaws.com";
    let path = "/runtimes/arn%3Aaws%3Abedrock-agentcore%3Aus-east-1%3A123456789012%3Aruntime%2Fx/invocations";
    for (words, place, who) in [
        (vec![&*arn, "bearer-token=t"], format!("{host}{path}"), "token"),
        (vec![&arn, "sigv4", "profile=p"], format!("{host}{path}"), "signature of p"),
        (vec![&arn, "sigv4", "env:profile=p"], format!("{host}{path}"), "signature of p"),
        (vec![&arn, "bearer-token=t", "env:profile=p"], format!("{host}{path}"), "token"),
        (vec![&arn, "sigv4", "env:bearer-token=t"], format!("{host}{path}"), "signature"),
        (vec![&arn, "bearer-token=t", "env:sigv4"], format!("{host}{path}"), "token"),
        (vec![&env_arn, "env:bearer-token=t"], format!("{host}{path}"), "token"),
        (vec![&arn, "token-command= vault  read x"], format!("{host}{path}"), "vault|read|x"),
        (vec![&arn, "cognito-client-id=c", "cognito-pool-id=us-east-1_P"], format!("{host}{path}"), "user"),
        (vec![&arn, "cognito-client-id=c", "env:sigv4", "cognito-username=u"], format!("{host}{path}"), "user"),
        (vec![&arn, "sigv4", "env:cognito-client-id=c"], format!("{host}{path}"), "signature"),
        (vec![&arn, "oauth-token-url=https://idp/token", "oauth-client-id=c"], format!("{host}{path}"), "machine"),
        (
            vec![&arn, "oauth-issuer=http://[::1]/", "env:oauth-client-id=c", "env:sigv4"],
            format!("{host}{path}"),
            "machine",
        ),
        (
            vec![&arn, "sigv4", "env:oauth-issuer=https://idp", "env:oauth-client-id=c"],
            format!("{host}{path}"),
            "signature",
        ),
        (vec![&arn, "bearer-token=t", "env:oauth-client-id=c"], format!("{host}{path}"), "token"),
        (vec![&arn, "sigv4", "region=us-east-1"], format!("{host}{path}"), "signature"),
        (vec![&arn, "sigv4", "env:region=eu-west-1"], format!("{host}{path}"), "signature"),
        (vec![&arn, "sigv4", "qualifier=a b"], format!("{host}{path}?qualifier=a%20b"), "signature"),
        (vec![&at_prod, "sigv4"], format!("{host}{path}?qualifier=prod"), "signature"),
        (vec![&at_prod, "sigv4", "qualifier=prod"], format!("{host}{path}?qualifier=prod"), "signature"),
        (vec![&at_prod, "sigv4", "env:qualifier=test"], format!("{host}{path}?qualifier=prod"), "signature"),
        (vec![&env_arn, "sigv4", "qualifier=test"], format!("{host}{path}?qualifier=test"), "signature"),
        (vec![&arn, "sigv4", "endpoint-url=https://gw.example/a"], format!("https://gw.example/a{path}"), "signature"),
        (vec![&arn, "sigv4", "endpoint-url=http://[::1]:1", "env:mock"], format!("http://[::1]:1{path}"), "signature"),
        (vec![&arn, "bearer-token=t", "env:local=http://agent"], format!("{host}{path}"), "token"),
        (vec!["local=http://agent:8080"], "http://agent:8080/invocations".into(), "nobody"),
        (vec!["local=http://agent", "env:mock"], "http://agent/invocations".into(), "nobody"),
        (vec!["env:local=http://agent", "env:region=eu-west-1"], "http://agent/invocations".into(), "nobody"),
        (
            vec!["local=http://agent", &env_at_prod, "env:bearer-token=t", "env:sigv4", "env:qualifier=q"],
            "http://agent/invocations".into(),
            "nobody",
        ),
        (vec!["mock"], "mock story".into(), "nobody"),
        (vec!["env:mock"], "mock story".into(), "nobody"),
        (vec!["mock", "arn=echo", "sigv4"], "mock echo".into(), "signature"),
        (vec!["env:mock", "arn=echo", "bearer-token=t"], "mock echo".into(), "token"),
        (vec!["mock", &arn], format!("mock {ARN}"), "nobody"),
        (
            vec![
                "mock",
                "env:arn=broken",
                "env:region=x@evil:443/#",
                "env:endpoint-url=http://evil",
                "env:qualifier=\n",
                "env:bearer-token=",
                "env:sigv4",
                "env:local=http://agent",
            ],
            "mock story".into(),
            "nobody",
        ),
    ] {
        if !is_built(&words) {
            continue;
        }
        let route = route(&words).unwrap();
        let at = match route.destination {
            Destination::Mock(agent) => format!("mock {}", agent.name.value),
            Destination::MockContainer => unreachable!("for pings only"),
            Destination::Local(target) | Destination::Runtime(target) => {
                target.url(&agentcore_client::operation::INVOKE).unwrap().to_string()
            }
        };
        let told = match route.identity {
            None => "nobody".to_owned(),
            Some(Identity::Bearer(_)) => "token".to_owned(),
            Some(Identity::SigV4 { profile: None }) => "signature".to_owned(),
            Some(Identity::SigV4 { profile: Some(profile) }) => format!("signature of {profile}"),
            Some(Identity::Command(words)) => words.join("|"),
            Some(Identity::Issued(identity)) => {
                let shown = format!("{identity:?}");
                let kinds = [("CognitoUser {", "user"), ("OAuthClient {", "machine")];
                let kind = kinds.into_iter().find(|(name, _)| shown.starts_with(name)).unwrap();
                kind.1.to_owned()
            }
        };
        assert_eq!((at.as_str(), told.as_str()), (place.as_str(), who), "{words:?}");
    }
}

#[test]
fn what_does_not_go_together() {
    let arn = format!("arn={ARN}");
    let env_arn = format!("env:arn={ARN}");
    let at_prod = format!("arn={ARN_AT_PROD}");
    let env_at_prod = format!("env:arn={ARN_AT_PROD}");
    for (words, message) in [
        (vec![], "no agent is named: --arn"),
        (vec!["bearer-token=t"], "no agent is named: --arn"),
        (
            vec![&*arn],
            "no credentials: say who you are by --bearer-token (a JSON Web Token), --sigv4 (AWS credentials), --cognito-client-id (a user) or",
        ),
        (vec![&arn, "bearer-token=t", "sigv4"], "--bearer-token and --sigv4 exclude each other, and both are given"),
        (vec![&arn, "env:bearer-token=t", "env:sigv4"], "exclude each other, and both are given, by the environment"),
        (vec![&arn, "bearer-token=t", "profile=p"], "--profile names AWS credentials, and --sigv4 is not given"),
        (
            vec![&arn, "sigv4", "cognito-client-id=c"],
            "--sigv4 and --cognito-client-id exclude each other, and both are given",
        ),
        (vec![&arn, "token-command= "], "--token-command names no program"),
        (vec!["local=http://a", "token-command=x"], "--local and --token-command exclude each other"),
        (vec![&arn, "sigv4", "cognito-pool-id=us-east-1_P"], "no app client is named: --cognito-client-id says which"),
        (vec![&arn, "cognito-client-id=c", "cognito-flow=srp"], "--cognito-flow srp needs --cognito-pool-id"),
        (
            vec![&arn, "cognito-client-id=c", "cognito-pool-id=us-east-1_P", "cognito-region=eu-west-1"],
            "--cognito-region eu-west-1 contradicts the pool, which is in us-east-1",
        ),
        (
            vec![&arn, "cognito-client-id=c", "cognito-pool-id=pool"],
            "a user pool id must look like us-east-1_ABC123DEF",
        ),
        (
            vec![&arn, "sigv4", "oauth-issuer=https://idp", "oauth-client-id=c"],
            "--sigv4 and --oauth-token-url or --oauth-issuer exclude each other, and both are given",
        ),
        (
            vec![&arn, "oauth-token-url=https://idp", "oauth-issuer=https://idp", "oauth-client-id=c"],
            "--oauth-token-url and --oauth-issuer exclude each other, and both are given",
        ),
        (vec![&arn, "oauth-token-url=https://idp"], "no client is named: --oauth-client-id says which"),
        (
            vec![&arn, "sigv4", "oauth-scope=s"],
            "--oauth-client-id and --oauth-scope need --oauth-token-url or --oauth-issuer",
        ),
        (
            vec![&arn, "oauth-token-url=http://idp", "oauth-client-id=c"],
            "invalid token endpoint: secrets travel over https only, or to loopback",
        ),
        (vec![&arn, "oauth-issuer=idp", "oauth-client-id=c"], "invalid issuer: it must begin with https://"),
        (
            vec!["local=http://a", "oauth-issuer=https://idp"],
            "--local and --oauth-token-url or --oauth-issuer exclude each other",
        ),
        (vec!["arn=my-agent", "sigv4"], "invalid runtime ARN \"my-agent\": it must look like arn:aws:"),
        (vec![&arn, "sigv4", "region=x@evil:443/#"], "invalid region \"x@evil:443/#\": it must look like us-east-1"),
        (
            vec![&arn, "sigv4", "env:region=x@evil:443/#"],
            "invalid region \"x@evil:443/#\": it must look like us-east-1",
        ),
        (vec![&arn, "sigv4", "region=us-west-2"], "--region us-west-2 contradicts the ARN, which is in us-east-1"),
        (
            vec![&at_prod, "sigv4", "qualifier=test"],
            "--qualifier test contradicts the ARN, which is of the endpoint prod",
        ),
        (vec![&env_at_prod, "sigv4", "env:qualifier=test"], "--qualifier test contradicts the ARN"),
        (vec![&arn, "sigv4", "qualifier=a\r\nb"], "invalid qualifier \"a\\r\\nb\": it holds a control character"),
        (vec![&arn, "sigv4", "endpoint-url=http://example.com"], "credentials travel over https only"),
        (vec!["local=ftp://x"], "invalid endpoint URL: it must begin with https://"),
        (vec!["local=http://a", &arn], "--local and --arn exclude each other: a local container has no ARN"),
        (
            vec!["local=http://a", "sigv4"],
            "--local and --sigv4 exclude each other: a local container takes no credentials",
        ),
        (vec!["local=http://a", "bearer-token=t"], "--local and --bearer-token exclude each other"),
        (vec!["local=http://a", "qualifier=q"], "--local and --qualifier exclude each other"),
        (vec!["local=http://a", "endpoint-url=http://[::1]"], "--local and --endpoint-url exclude each other"),
        (vec!["local=http://a", "region=us-east-1"], "--local and --region exclude each other"),
        (vec!["local=http://a", "profile=p"], "--local and --profile exclude each other"),
        (vec!["env:local=http://a", &env_arn], "--local and --arn exclude each other"),
        (vec!["mock", "local=http://a"], "--mock and --local exclude each other"),
        (vec!["mock", "endpoint-url=http://[::1]"], "--mock and --endpoint-url exclude each other"),
        (vec!["mock", "bearer-token=t", "sigv4"], "--bearer-token and --sigv4 exclude each other"),
        (vec!["mock", "arn=arn:aws"], "invalid runtime ARN \"arn:aws\""),
        (vec!["mock", "arn="], "invalid agent name \"\""),
        (vec!["mock", "arn=a\nb"], "invalid agent name \"a\\nb\""),
        (vec!["mock", "region=x"], "invalid region \"x\""),
        (vec!["mock", "qualifier="], "invalid qualifier \"\": it is empty"),
    ] {
        if !is_built(&words) || !is_built(&[message]) {
            continue;
        }
        let failure = route(&words).err().unwrap();
        let (exit, told) = failure.parts();
        assert_eq!(exit, Exit::Usage, "{words:?}");
        assert!(told.contains(message), "{words:?}: {told}");
    }
}

#[test]
fn the_environment_of_the_aws_sdks_names_the_endpoint() {
    let arn = format!("arn={ARN}");
    for (words, variable, value, place) in [
        (
            vec![&*arn, "sigv4"],
            "AWS_ENDPOINT_URL_BEDROCK_AGENTCORE",
            "https://a.example",
            Some("https://a.example/runtimes/"),
        ),
        (vec![&arn, "sigv4"], "AWS_ENDPOINT_URL", "https://b.example", Some("https://b.example/runtimes/")),
        (
            vec![&arn, "sigv4", "endpoint-url=https://c.example"],
            "AWS_ENDPOINT_URL",
            "http://not-looked-at",
            Some("https://c.example/runtimes/"),
        ),
        (
            vec![&arn, "sigv4"],
            "AWS_USE_FIPS_ENDPOINT",
            "true",
            Some("https://bedrock-agentcore-fips.us-east-1.amazonaws.com/"),
        ),
        (vec![&arn, "sigv4"], "AWS_ENDPOINT_URL", "http://example.com", None),
    ] {
        let route = context(&words).route_by(|name| (name == variable).then(|| value.to_owned()));
        match (route.map(|route| route.destination), place) {
            (Ok(Destination::Runtime(target)), Some(place)) => {
                let url = target.url(&agentcore_client::operation::INVOKE).unwrap().to_string();
                assert!(url.starts_with(place), "{url}");
            }
            (Err(failure), None) => assert!(failure.parts().1.contains(variable)),
            (destination, place) => panic!("{destination:?} {place:?}"),
        }
    }
}

#[test]
fn whose_health_is_asked() {
    for (words, destination) in [
        (vec!["local=http://agent"], Ok(Destination::Local(Target::local("http://agent").unwrap()))),
        (vec!["mock"], Ok(Destination::MockContainer)),
        (vec!["env:arn=x"], Err("no container is named: --local URL says which")),
        (vec!["arn=x", "mock", "local=http://agent"], Err("--mock and --local exclude each other")),
        (vec!["local=http://agent", "sigv4"], Err("--local and --sigv4 exclude each other")),
    ] {
        match (context(&words).route_of_ping().map(|route| route.destination), destination) {
            (Ok(made), Ok(expected)) => assert_eq!(made, expected),
            (Err(failure), Err(message)) => assert!(failure.parts().1.contains(message), "{words:?}"),
            (made, expected) => panic!("{words:?}: {made:?} is not {expected:?}"),
        }
    }
}
