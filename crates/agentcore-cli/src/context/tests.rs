//! What the flags decide, as a table; what a variable, a context or the last login says is marked with `env:`, `ctx:` and `login:`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::{
    errors::Exit,
    flags::{Settings, Source, Sourced},
};

const ARN: &str = "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/x";
const ARN_AT_PROD: &str = "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/x/runtime-endpoint/prod";
const HOST: &str = "https://bedrock-agentcore.us-east-1.amazonaws.com";
const PATH: &str = "runtimes/arn%3Aaws%3Abedrock-agentcore%3Aus-east-1%3A123456789012%3Aruntime%2Fx/invocations";

/// What a line of `FLAG=VALUE; …` means; the values `ARN` and `AT_PROD` are the constants above.
fn context(line: &str) -> Context {
    let words = || line.split("; ").filter(|word| !word.is_empty());
    let (mut target, mut identity) =
        flags(words().filter(|word| !word.starts_with("ctx:") && !word.starts_with("login:")));
    let (_, typed_identity) =
        flags(words().filter(|word| !["env:", "ctx:", "login:"].iter().any(|it| word.starts_with(it))));
    for (prefix, source) in [("ctx:", Source::Context("c".to_owned())), ("login:", Source::Login)] {
        let mut settings = Settings::default();
        for word in words().filter_map(|word| word.strip_prefix(prefix)) {
            let (key, value) = word.split_once('=').unwrap_or((word, "true"));
            let value = value.replace("AT_PROD", ARN_AT_PROD).replace("ARN", ARN);
            settings.insert(Settings::key(key).unwrap(), value);
        }
        settings.fill(&mut target, &mut identity, &source, |_| false).unwrap();
    }
    Context { target, identity, typed_identity, name: None }
}

fn flags<'a>(words: impl Iterator<Item = &'a str>) -> (TargetFlags, IdentityFlags) {
    let (mut target, mut who) = (TargetFlags::default(), IdentityFlags::default());
    for word in words {
        let (source, word) = match word.strip_prefix("env:") {
            Some(word) => (Source::Variable("A_VARIABLE".to_owned()), word),
            None => (Source::Flag, word),
        };
        let (flag, value) = match word.split_once('=') {
            Some((flag, "ARN")) => (flag, ARN),
            Some((flag, "AT_PROD")) => (flag, ARN_AT_PROD),
            Some(word) => word,
            None => (word, ""),
        };
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
            "cognito-flow" => who.cognito.cognito_flow = text().map(|text| text.map(|_| crate::flags::Flow::Srp)),
            "oauth-token-url" => who.oauth.oauth_token_url = text(),
            "oauth-issuer" => who.oauth.oauth_issuer = text(),
            "oauth-client-id" => who.oauth.oauth_client_id = text(),
            "oauth-scope" => who.oauth.oauth_scope = text(),
            "token-store" => who.token_store = text(),
            _ => panic!("{flag} is no flag"),
        }
    }
    (target, who)
}

/// Whether this build knows all the flags of a case.
fn is_built(text: &str) -> bool {
    cfg!(feature = "cognito") || !text.contains("cognito")
}

#[test]
fn where_to_and_as_whom() {
    for (line, place, who) in [
        ("arn=ARN; bearer-token=t", "HOST/PATH", "token"),
        ("arn=ARN; sigv4; profile=p", "HOST/PATH", "signature of p"),
        ("arn=ARN; sigv4; env:profile=p", "HOST/PATH", "signature of p"),
        ("arn=ARN; bearer-token=t; env:profile=p", "HOST/PATH", "token"),
        ("arn=ARN; sigv4; env:bearer-token=t", "HOST/PATH", "signature"),
        ("arn=ARN; bearer-token=t; env:sigv4", "HOST/PATH", "token"),
        ("env:arn=ARN; env:bearer-token=t", "HOST/PATH", "token"),
        ("arn=ARN; token-command= vault  read x", "HOST/PATH", "vault|read|x"),
        ("arn=ARN; cognito-client-id=c; cognito-pool-id=us-east-1_P", "HOST/PATH", "user"),
        ("arn=ARN; cognito-client-id=c; env:sigv4; cognito-username=u", "HOST/PATH", "user"),
        ("arn=ARN; sigv4; env:cognito-client-id=c", "HOST/PATH", "signature"),
        ("arn=ARN; oauth-token-url=https://idp/token; oauth-client-id=c", "HOST/PATH", "machine"),
        ("arn=ARN; oauth-issuer=http://[::1]/; env:oauth-client-id=c; env:sigv4", "HOST/PATH", "machine"),
        ("arn=ARN; sigv4; env:oauth-issuer=https://idp; env:oauth-client-id=c", "HOST/PATH", "signature"),
        ("arn=ARN; bearer-token=t; env:oauth-client-id=c", "HOST/PATH", "token"),
        ("arn=ARN; sigv4; region=us-east-1", "HOST/PATH", "signature"),
        ("arn=ARN; sigv4; env:region=eu-west-1", "HOST/PATH", "signature"),
        ("arn=ARN; sigv4; qualifier=a b", "HOST/PATH?qualifier=a%20b", "signature"),
        ("arn=AT_PROD; sigv4", "HOST/PATH?qualifier=prod", "signature"),
        ("arn=AT_PROD; sigv4; qualifier=prod", "HOST/PATH?qualifier=prod", "signature"),
        ("arn=AT_PROD; sigv4; env:qualifier=test", "HOST/PATH?qualifier=prod", "signature"),
        ("env:arn=ARN; sigv4; qualifier=test", "HOST/PATH?qualifier=test", "signature"),
        ("arn=ARN; sigv4; endpoint-url=https://gw.example/a", "https://gw.example/a/PATH", "signature"),
        ("arn=ARN; sigv4; endpoint-url=http://[::1]:1; env:mock", "http://[::1]:1/PATH", "signature"),
        ("arn=ARN; bearer-token=t; env:local=http://agent", "HOST/PATH", "token"),
        ("ctx:arn=ARN; ctx:sigv4; ctx:profile=p", "HOST/PATH", "signature of p"),
        ("ctx:arn=AT_PROD; ctx:sigv4", "HOST/PATH?qualifier=prod", "signature"),
        ("ctx:arn=ARN; ctx:qualifier=prod; ctx:sigv4; ctx:region=us-east-1", "HOST/PATH?qualifier=prod", "signature"),
        ("ctx:arn=x; ctx:qualifier=prod; ctx:sigv4; arn=ARN", "HOST/PATH", "signature"),
        ("ctx:arn=ARN; ctx:qualifier=prod; ctx:sigv4; arn=ARN", "HOST/PATH?qualifier=prod", "signature"),
        ("ctx:endpoint-url=https://vpc.example; sigv4; arn=ARN", "https://vpc.example/PATH", "signature"),
        ("ctx:arn=x; login:arn=y; env:arn=ARN; sigv4", "HOST/PATH", "signature"),
        ("ctx:arn=ARN; ctx:sigv4; env:bearer-token=t", "HOST/PATH", "token"),
        ("ctx:arn=ARN; ctx:sigv4; login:oauth-issuer=https://idp; login:oauth-client-id=c", "HOST/PATH", "signature"),
        ("login:arn=ARN; login:oauth-issuer=https://idp; login:oauth-client-id=c", "HOST/PATH", "machine"),
        ("login:arn=ARN; login:cognito-client-id=c; login:cognito-pool-id=us-east-1_P", "HOST/PATH", "user"),
        ("arn=ARN; login:cognito-client-id=c; login:cognito-pool-id=us-east-1_P; sigv4", "HOST/PATH", "signature"),
        (
            "local=http://agent; ctx:arn=ARN; ctx:sigv4; login:oauth-issuer=https://idp",
            "http://agent/invocations",
            "nobody",
        ),
        ("env:local=http://agent; ctx:arn=ARN; ctx:sigv4", "http://agent/invocations", "nobody"),
        ("ctx:local=http://agent; login:oauth-issuer=https://idp; login:arn=ARN", "http://agent/invocations", "nobody"),
        ("mock; ctx:arn=ARN; ctx:sigv4; login:oauth-issuer=https://idp", "mock story", "nobody"),
        ("local=http://agent:8080", "http://agent:8080/invocations", "nobody"),
        ("local=http://agent; env:mock", "http://agent/invocations", "nobody"),
        ("env:local=http://agent; env:region=eu-west-1", "http://agent/invocations", "nobody"),
        (
            "local=http://agent; env:arn=AT_PROD; env:bearer-token=t; env:sigv4; env:qualifier=q",
            "http://agent/invocations",
            "nobody",
        ),
        ("mock", "mock story", "nobody"),
        ("env:mock", "mock story", "nobody"),
        ("mock; arn=echo; sigv4", "mock echo", "signature"),
        ("env:mock; arn=echo; bearer-token=t", "mock echo", "token"),
        ("mock; arn=ARN", "mock ARN", "nobody"),
        (
            "mock; env:arn=broken; env:region=x@evil:443/#; env:endpoint-url=http://evil; env:qualifier=\n; \
             env:bearer-token=; env:sigv4; env:local=http://agent",
            "mock story",
            "nobody",
        ),
    ] {
        if !is_built(line) {
            continue;
        }
        let route = context(line).route_by(|_| None).expect(line);
        let at = match route.destination {
            Destination::Mock(agent) => format!("mock {}", agent.unwrap().name.value),
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
            Some(Identity::Issued(identity, _)) => {
                let shown = format!("{identity:?}");
                let kinds = [("CognitoUser {", "user"), ("OAuthClient {", "machine")];
                let kind = kinds.into_iter().find(|(name, _)| shown.starts_with(name)).unwrap();
                kind.1.to_owned()
            }
        };
        let place = place.replace("HOST", HOST).replace("PATH", PATH).replace("ARN", ARN);
        assert_eq!((at.as_str(), told.as_str()), (place.as_str(), who), "{line}");
    }
}

#[test]
fn what_does_not_go_together() {
    for (line, message) in [
        ("", "no agent is named: --arn"),
        ("bearer-token=t", "no agent is named: --arn"),
        (
            "arn=ARN",
            "no credentials: give them by --bearer-token (a JSON Web Token), --sigv4 (AWS credentials), --cognito-client-id (a user) or",
        ),
        ("arn=ARN; bearer-token=t; sigv4", "--bearer-token and --sigv4 exclude each other, and both are given"),
        ("arn=ARN; env:bearer-token=t; env:sigv4", "exclude each other, and both are given, by the environment"),
        (
            "ctx:arn=ARN; ctx:sigv4; ctx:oauth-issuer=https://idp; ctx:oauth-client-id=c",
            "exclude each other, and both are given, by the context c",
        ),
        ("ctx:local=http://a; ctx:arn=ARN", "--local and --arn exclude each other: a local container has no ARN"),
        ("ctx:arn=ARN; ctx:sigv4; ctx:region=eu-west-1", "--region eu-west-1 contradicts the ARN"),
        // What says more of a client is that client's.
        (
            "arn=ARN; login:oauth-issuer=https://a; login:oauth-client-id=c; oauth-token-url=https://b",
            "no client is named",
        ),
        ("arn=ARN; bearer-token=t; profile=p", "--profile names AWS credentials, and --sigv4 is not given"),
        (
            "arn=ARN; sigv4; cognito-client-id=c",
            "--sigv4 and --cognito-client-id exclude each other, and both are given",
        ),
        ("arn=ARN; token-command= ", "--token-command names no program"),
        ("local=http://a; token-command=x", "--local and --token-command exclude each other"),
        ("arn=ARN; sigv4; cognito-pool-id=us-east-1_P", "no app client is named: --cognito-client-id says which"),
        ("arn=ARN; cognito-client-id=c; cognito-flow=srp", "--cognito-flow srp needs --cognito-pool-id"),
        (
            "arn=ARN; cognito-client-id=c; cognito-pool-id=us-east-1_P; cognito-region=eu-west-1",
            "--cognito-region eu-west-1 contradicts the pool, which is in us-east-1",
        ),
        ("arn=ARN; cognito-client-id=c; cognito-pool-id=pool", "a user pool id must look like us-east-1_ABC123DEF"),
        (
            "arn=ARN; sigv4; oauth-issuer=https://idp; oauth-client-id=c",
            "--sigv4 and --oauth-token-url or --oauth-issuer exclude each other, and both are given",
        ),
        (
            "arn=ARN; oauth-token-url=https://idp; oauth-issuer=https://idp; oauth-client-id=c",
            "--oauth-token-url and --oauth-issuer exclude each other, and both are given",
        ),
        ("arn=ARN; oauth-token-url=https://idp", "no client is named: --oauth-client-id says which"),
        (
            "arn=ARN; sigv4; oauth-scope=s",
            "--oauth-client-id and --oauth-scope need --oauth-token-url or --oauth-issuer",
        ),
        (
            "arn=ARN; oauth-token-url=http://idp; oauth-client-id=c",
            "invalid token endpoint: secrets travel over https only, or to loopback",
        ),
        ("arn=ARN; oauth-issuer=idp; oauth-client-id=c", "invalid issuer: it must begin with https://"),
        (
            "local=http://a; oauth-issuer=https://idp",
            "--local and --oauth-token-url or --oauth-issuer exclude each other",
        ),
        ("arn=my-agent; sigv4", "invalid runtime ARN \"my-agent\": it must look like arn:aws:"),
        ("arn=ARN; sigv4; region=x@evil:443/#", "invalid region \"x@evil:443/#\": it must look like us-east-1"),
        ("arn=ARN; sigv4; env:region=x@evil:443/#", "invalid region \"x@evil:443/#\": it must look like us-east-1"),
        ("arn=ARN; sigv4; region=us-west-2", "--region us-west-2 contradicts the ARN, which is in us-east-1"),
        ("arn=AT_PROD; sigv4; qualifier=test", "--qualifier test contradicts the ARN, which is of the endpoint prod"),
        ("env:arn=AT_PROD; sigv4; env:qualifier=test", "--qualifier test contradicts the ARN"),
        ("arn=ARN; sigv4; qualifier=a\r\nb", "invalid qualifier \"a\\r\\nb\": it holds a control character"),
        ("arn=ARN; sigv4; endpoint-url=http://example.com", "credentials travel over https only"),
        ("local=ftp://x", "invalid endpoint URL: it must begin with https://"),
        ("local=http://a; arn=ARN", "--local and --arn exclude each other: a local container has no ARN"),
        ("local=http://a; sigv4", "--local and --sigv4 exclude each other: a local container takes no credentials"),
        ("local=http://a; bearer-token=t", "--local and --bearer-token exclude each other"),
        ("local=http://a; qualifier=q", "--local and --qualifier exclude each other"),
        ("local=http://a; endpoint-url=http://[::1]", "--local and --endpoint-url exclude each other"),
        ("local=http://a; region=us-east-1", "--local and --region exclude each other"),
        ("local=http://a; profile=p", "--local and --profile exclude each other"),
        ("env:local=http://a; env:arn=ARN", "--local and --arn exclude each other"),
        ("mock; local=http://a", "--mock and --local exclude each other"),
        ("mock; endpoint-url=http://[::1]", "--mock and --endpoint-url exclude each other"),
        ("mock; bearer-token=t; sigv4", "--bearer-token and --sigv4 exclude each other"),
        ("mock; arn=arn:aws", "invalid runtime ARN \"arn:aws\""),
        ("mock; arn=", "invalid agent name \"\""),
        ("mock; arn=a\nb", "invalid agent name \"a\\nb\""),
        ("mock; region=x", "invalid region \"x\""),
        ("mock; qualifier=", "invalid qualifier \"\": it is empty"),
    ] {
        if !is_built(line) || !is_built(message) {
            continue;
        }
        let (exit, told) = context(line).route_by(|_| None).err().expect(line).parts();
        assert_eq!(exit, Exit::Usage, "{line}");
        assert!(told.contains(message), "{line}: {told}");
    }
}

#[test]
fn the_environment_of_the_aws_sdks_names_the_endpoint() {
    let (service, every) = ("AWS_ENDPOINT_URL_BEDROCK_AGENTCORE", "AWS_ENDPOINT_URL");
    let (with_url, fips) = ("arn=ARN; sigv4; endpoint-url=https://c.example", "AWS_USE_FIPS_ENDPOINT");
    for (line, variable, value, place) in [
        ("arn=ARN; sigv4", service, "https://a.example", Some("https://a.example/runtimes/")),
        ("arn=ARN; sigv4", every, "https://b.example", Some("https://b.example/runtimes/")),
        (with_url, every, "http://not-looked-at", Some("https://c.example/runtimes/")),
        ("arn=ARN; sigv4", fips, "true", Some("https://bedrock-agentcore-fips.us-east-1.amazonaws.com/")),
        ("arn=ARN; sigv4", every, "http://example.com", None),
    ] {
        let route = context(line).route_by(|name| (name == variable).then(|| value.to_owned()));
        match (route.map(|route| route.destination), place) {
            (Ok(Destination::Runtime(target)), Some(place)) => {
                let url = target.url(&agentcore_client::operation::INVOKE).unwrap().to_string();
                assert!(url.starts_with(place), "{variable}={value}: {url}");
            }
            (Err(failure), None) => assert!(failure.parts().1.contains(variable), "{variable}={value}"),
            (destination, place) => panic!("{variable}={value}: {destination:?} {place:?}"),
        }
    }
}

#[test]
fn whose_health_is_asked() {
    for (line, destination) in [
        ("local=http://agent", Ok(Destination::Local(Target::local("http://agent").unwrap()))),
        ("mock", Ok(Destination::Mock(None))),
        ("env:arn=x", Err("no container is named: --local URL says which")),
        ("arn=x; mock; local=http://agent", Err("--mock and --local exclude each other")),
        ("local=http://agent; sigv4", Err("--local and --sigv4 exclude each other")),
    ] {
        match (context(line).route_of_ping().map(|route| route.destination), destination) {
            (Ok(made), Ok(expected)) => assert_eq!(made, expected),
            (Err(failure), Err(message)) => assert!(failure.parts().1.contains(message), "{line}"),
            (made, expected) => panic!("{line}: {made:?} is not {expected:?}"),
        }
    }
}
