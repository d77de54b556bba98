//! Which operation a request is for.

use axum::http::Method;
use percent_encoding::percent_decode_str;
use webpubsub_protocol::name::{GroupName, HubName};

use super::error::RestError;

/// An operation of the data plane.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// Is the service there? Needs no token.
    Health,
    /// Send a message.
    Send {
        /// In this hub.
        hub: HubName,
        /// To these.
        recipient: Recipient,
    },
}

/// To whom a message goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Recipient {
    Everyone,
    Group(GroupName),
    User(String),
    Connection(String),
}

impl Operation {
    /// Finds the operation by method and path. Each segment is percent-decoded once, so a user's name may hold `/`.
    pub(super) fn find(method: &Method, path: &str) -> Result<Self, RestError> {
        let segments: Vec<String> = path.split('/').skip(1).map(decode).collect::<Result<_, _>>()?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match (method.as_str(), &segments[..]) {
            ("HEAD" | "GET", ["api", "health"]) => Ok(Self::Health),
            ("POST", ["api", "hubs", hub, rest @ .., ":send"]) => {
                let hub =
                    HubName::new(hub).map_err(|error| RestError::bad_request("hub", error.to_string()))?;
                let recipient = match rest {
                    [] => Recipient::Everyone,
                    ["groups", group] => Recipient::Group(
                        GroupName::new(group)
                            .map_err(|error| RestError::bad_request("group", error.to_string()))?,
                    ),
                    ["users", user] if !user.is_empty() => Recipient::User((*user).to_owned()),
                    ["connections", id] if !id.is_empty() => Recipient::Connection((*id).to_owned()),
                    _ => return Err(RestError::NotFound),
                };
                Ok(Self::Send { hub, recipient })
            }
            (_, ["api", "hubs", _, ..]) => Err(RestError::NotImplemented(
                "this version of the service answers health and the :send operations",
            )),
            _ => Err(RestError::NotFound),
        }
    }
}

fn decode(segment: &str) -> Result<String, RestError> {
    let decoded = percent_decode_str(segment).decode_utf8();
    decoded
        .map(Into::into)
        .map_err(|_| RestError::bad_request("Request", "The path is not UTF-8.".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipient(path: &str) -> Result<Recipient, RestError> {
        match Operation::find(&Method::POST, path)? {
            Operation::Send { recipient, .. } => Ok(recipient),
            Operation::Health => panic!("health"),
        }
    }

    #[test]
    fn every_kind_of_send_is_found_with_the_colon_encoded_or_not() {
        assert_eq!(recipient("/api/hubs/chat/:send"), Ok(Recipient::Everyone));
        assert_eq!(recipient("/api/hubs/chat/%3Asend"), Ok(Recipient::Everyone));
        assert_eq!(
            recipient("/api/hubs/chat/users/user%20a%2Fb/:send"),
            Ok(Recipient::User("user a/b".into()))
        );
        assert_eq!(recipient("/api/hubs/chat/connections/c1/:send"), Ok(Recipient::Connection("c1".into())));
        let group = Recipient::Group(GroupName::new("ü").unwrap());
        assert_eq!(recipient("/api/hubs/chat/groups/%C3%BC/:send"), Ok(group));
    }

    #[test]
    fn wrong_names_and_places_are_told_apart() {
        assert!(matches!(
            recipient("/api/hubs/1bad/:send"),
            Err(RestError::BadRequest { target: "hub", .. })
        ));
        assert!(matches!(
            recipient("/api/hubs/h/groups/%20/:send"),
            Err(RestError::BadRequest { target: "group", .. })
        ));
        assert!(matches!(recipient("/api/hubs/h/%FF/:send"), Err(RestError::BadRequest { .. })));
        assert_eq!(recipient("/api/hubs/h/planets/x/:send"), Err(RestError::NotFound));
        assert_eq!(recipient("/api/elsewhere"), Err(RestError::NotFound));
        assert!(matches!(recipient("/api/hubs/h/:closeConnections"), Err(RestError::NotImplemented(_))));
    }
}
