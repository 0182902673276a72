//! One call over HTTP: authorized for each attempt, and accepted if the answer is a 2xx without a content coding. Retries nothing.

use std::time::{SystemTime, UNIX_EPOCH};

use agentcore_auth::{AppliedCredential, Auth};
use agentcore_core::{Region, service_error};
use agentcore_transport::{Body, Call, Network, Reception, SendError};
use bytes::Bytes;
use http::{Request, StatusCode, header::CONTENT_ENCODING};

use crate::{Error, request::Draft};

/// The draft of a request, its mechanism and the region to sign it for.
pub(crate) struct HttpCall<'a> {
    pub(crate) draft: &'a Draft<'a>,
    pub(crate) auth: &'a Auth,
    pub(crate) region: Option<&'a Region>,
}

impl Call for HttpCall<'_> {
    type Body = Body;

    fn auth(&self) -> &Auth {
        self.auth
    }

    async fn prepare(&self, now: SystemTime) -> Result<(Request<Bytes>, AppliedCredential), Error> {
        let mut request = self.draft.write()?;
        let credential = self.auth.authorize(&mut request, self.region, now).await?;
        Ok((request, credential))
    }

    async fn send(&self, network: &dyn Network, request: Request<Bytes>) -> Result<Reception<Body>, SendError> {
        let response = network.send(request).await?;
        if !response.status().is_success() {
            return Ok(Reception::Refused(response));
        }
        // No content coding was requested: encoded bytes would be read as text.
        let coding = response.headers().get(CONTENT_ENCODING);
        let Some(coding) = coding.filter(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) else {
            return Ok(Reception::Accepted(response));
        };
        let coding: String = String::from_utf8_lossy(coding.as_bytes()).chars().take(40).collect();
        let message = format!("the answer has the content coding {coding:?}, which was not asked for");
        let error = service_error::read(StatusCode::OK, response.headers(), message.as_bytes(), &[], UNIX_EPOCH);
        Ok(Reception::Useless(error.possibly_run(true)))
    }
}
