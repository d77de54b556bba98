//! `tailcast token`: prints a client access URL.

use std::io::{self, Write};

use webpubsub_protocol::{
    connection_string::ConnectionString,
    name::{GroupName, HubName},
    token::{Claims, UnixTime, sign},
};

use crate::{cli::TokenOptions, failure::Failure, publish::unix_time, secret, usage_error::UsageError};

/// Beginning of all roles.
const ROLE_PREFIX: &str = "webpubsub.";

/// Prints the URL.
pub(crate) fn run(options: &TokenOptions) -> Result<(), Failure> {
    let (service, hub) = options.service_and_hub()?;
    let claims = options.claims(service.endpoint.client_audience(&hub), unix_time())?;
    let token = sign(&claims, &service.access_key)
        .map_err(|error| Failure::runtime(format!("cannot sign the token: {error}")))?;
    let url = format!("{}?access_token={token}", service.endpoint.client_url(&hub));
    writeln!(io::stdout(), "{url}")
        .map_err(|error| Failure::runtime(format!("cannot write to standard output: {error}")))
}

impl TokenOptions {
    fn service_and_hub(&self) -> Result<(ConnectionString, HubName), UsageError> {
        let (given, hub) = match &*self.hub {
            [given, hub] => (Some(&**given), hub),
            [given] if secret::is_connection_string(given) => return Err(UsageError::NoHub),
            [hub] => (None, hub),
            // The parser accepts no other number.
            _ => return Err(UsageError::NoConnectionString),
        };
        let service = secret::connection_string(given, self.connection_string_file.as_deref())?;
        Ok((service, HubName::new(hub)?))
    }

    fn claims(&self, audience: String, now: UnixTime) -> Result<Claims, UsageError> {
        if let Some(role) = self.role.iter().find(|role| !role.starts_with(ROLE_PREFIX)) {
            return Err(UsageError::Role { role: role.clone() });
        }
        let groups = self.group.iter().map(|name| Ok(GroupName::new(name)?.to_string()));
        Ok(Claims {
            user_id: self.user.clone(),
            roles: self.role.clone(),
            groups: groups.collect::<Result<_, UsageError>>()?,
            ..Claims::new(audience, now, self.lifetime)
        })
    }
}
