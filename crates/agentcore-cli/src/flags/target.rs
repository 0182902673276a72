//! The flags that say where the agent is.

use clap::{ArgAction, Args};

use super::source::Sourced;

#[derive(Args, Clone, Default)]
#[group(skip)]
#[command(next_help_heading = "Which agent")]
pub(crate) struct TargetFlags {
    /// The agent runtime's ARN, or one of its endpoints'; with --mock an agent's name will do
    #[arg(long, value_name = "ARN", global = true)]
    pub(crate) arn: Option<Sourced<String>>,
    /// The region; must be the ARN's, which decides
    #[arg(long, value_name = "REGION", global = true)]
    pub(crate) region: Option<Sourced<String>>,
    /// The runtime's endpoint, such as `prod` [default: the ARN's, else DEFAULT]
    #[arg(long, value_name = "NAME", global = true)]
    pub(crate) qualifier: Option<Sourced<String>>,
    /// The service's URL: a gateway, a VPC endpoint, a test server
    #[arg(long, value_name = "URL", global = true)]
    pub(crate) endpoint_url: Option<Sourced<String>>,
    /// An agent container, such as http://127.0.0.1:8080: no ARN, no credentials
    #[arg(long, value_name = "URL", global = true)]
    pub(crate) local: Option<Sourced<String>>,
    /// Starts a mock of the service in this process and talks to that: nothing else is needed
    #[arg(long, global = true, action = ArgAction::SetTrue)]
    pub(crate) mock: Sourced<bool>,
    /// The context of the configuration file to take for whatever is not given [default: that of `acore config use`]
    #[arg(long, value_name = "NAME", global = true)]
    pub(crate) context: Option<Sourced<String>>,
    /// Offers HTTP/2 as well, where all calls share one connection [default: HTTP/1.1]
    #[arg(long, global = true, action = ArgAction::SetTrue)]
    pub(crate) http2: bool,
}
