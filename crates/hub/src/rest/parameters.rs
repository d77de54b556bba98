//! Query parameters of a request.

use std::str::FromStr;

use webpubsub_protocol::{filter::Filter, message::MAX_TTL_SECONDS, name::GroupName};

use super::error::RestError;
use crate::query_string;

/// Supported versions of the data plane.
pub(super) const API_VERSIONS: &str = "2021-10-01, 2022-11-01, 2023-07-01, 2024-01-01, 2024-12-01";

/// Parsed query parameters. Unknown ones are ignored.
#[derive(Debug, Default)]
pub(super) struct QueryParameters(Vec<(String, String)>);

impl QueryParameters {
    /// Parses a query, and checks the API version.
    pub(super) fn read(query: &str) -> Result<Self, RestError> {
        let parameters = Self(query_string::pairs(query).collect());
        let versions: Vec<&str> = parameters.all("api-version").collect();
        let is_known = |version: &str| API_VERSIONS.split(", ").any(|known| known == version);
        if versions.len() > 1 || !versions.iter().all(|version| is_known(version)) {
            let message = format!("`api-version` must be given once, as one of {API_VERSIONS}.");
            return Err(RestError::bad_request("api-version", message));
        }
        Ok(parameters)
    }

    /// Returns all values of a parameter. Names are compared without regard to case, as in the cloud service.
    pub(super) fn all(&self, name: &'static str) -> impl Iterator<Item = &str> {
        let is_named = move |(given, _): &&(String, String)| given.eq_ignore_ascii_case(name);
        self.0.iter().filter(is_named).map(|(_, value)| value.as_str())
    }

    /// Returns the value of a parameter that may be given once; `None` if it is missing.
    pub(super) fn one(&self, name: &'static str) -> Result<Option<&str>, RestError> {
        let mut values = self.all(name);
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            _ => Err(RestError::bad_request(name, format!("`{name}` must be given once."))),
        }
    }

    /// Returns the value of a parameter that may be given once; `None` if it is missing or empty.
    pub(super) fn one_not_empty(&self, name: &'static str) -> Result<Option<&str>, RestError> {
        Ok(self.one(name)?.filter(|value| !value.is_empty()))
    }

    /// Returns whether the connection `id` is excluded.
    pub(super) fn is_excluded(&self, id: &str) -> bool {
        self.all("excluded").any(|excluded| excluded == id)
    }

    /// Parses the filter.
    pub(super) fn filter(&self) -> Result<Option<Filter>, RestError> {
        self.one_not_empty("filter")?.map(parse_filter).transpose()
    }

    /// Returns the time to live of a message, in seconds; 0 for no limit.
    pub(super) fn time_to_live(&self) -> Result<u32, RestError> {
        Ok(self.number("messageTtlSeconds", 0, MAX_TTL_SECONDS)?.unwrap_or(0))
    }

    /// Returns a number from `least` to `most`; `None` if the parameter is missing.
    pub(super) fn number<N: FromStr + PartialOrd + std::fmt::Display>(
        &self,
        name: &'static str,
        least: N,
        most: N,
    ) -> Result<Option<N>, RestError> {
        let Some(value) = self.one(name)? else { return Ok(None) };
        match value.trim().parse::<N>() {
            Ok(number) if number >= least && number <= most => Ok(Some(number)),
            _ => Err(RestError::bad_request(
                name,
                format!("`{name}` must be a number from {least} to {most}."),
            )),
        }
    }

    /// Returns the name of a group, which is required.
    pub(super) fn group(&self, name: &'static str) -> Result<GroupName, RestError> {
        let Some(value) = self.one_not_empty(name)? else {
            return Err(RestError::bad_request(name, format!("`{name}` is required: name a group.")));
        };
        GroupName::new(value).map_err(|error| RestError::bad_request(name, error.to_string()))
    }
}

/// Parses a filter. Error messages have the form of the data plane's.
pub(super) fn parse_filter(text: &str) -> Result<Filter, RestError> {
    Filter::parse(text).map_err(|error| {
        RestError::bad_request(
            "filter",
            format!("Invalid syntax for '{text}': {error}. (Parameter 'filter')"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_excluded_connection_is_a_parameter_of_its_own() {
        let parameters = QueryParameters::read("excluded=c1&api-version=2024-12-01&excluded=c%2C2").unwrap();
        assert!(
            parameters.is_excluded("c1") && parameters.is_excluded("c,2") && !parameters.is_excluded("c")
        );
    }

    #[test]
    fn names_ignore_case_and_a_plus_is_a_space() {
        let parameters =
            QueryParameters::read("Excluded=c1&EXCLUDED=c2&targetname=a+b&Filter=userId+eq+'x'").unwrap();
        assert!(parameters.is_excluded("c1") && parameters.is_excluded("c2"));
        assert_eq!(parameters.group("targetName").unwrap().as_str(), "a b");
        assert!(parameters.filter().unwrap().is_some());
        assert!(QueryParameters::read("API-VERSION=2099-01-01").is_err());
        assert!(QueryParameters::read("top=1&TOP=1").unwrap().number("top", 1, 9).is_err());
    }

    #[test]
    fn a_version_must_be_known_and_given_once() {
        assert!(QueryParameters::read("").is_ok());
        assert!(QueryParameters::read("api-version=2099-01-01").is_err());
        assert!(QueryParameters::read("api-version=2024-12-01&api-version=2024-12-01").is_err());
    }

    #[test]
    fn a_time_to_live_has_a_range() {
        let time_to_live = |query: &str| QueryParameters::read(query).unwrap().time_to_live();
        assert_eq!(time_to_live("messageTtlSeconds=300"), Ok(300));
        assert_eq!(time_to_live(""), Ok(0));
        assert_eq!(time_to_live("MESSAGETTLSECONDS=+7"), Ok(7));
        for value in ["301", "-1", "x", ""] {
            assert!(time_to_live(&format!("messageTtlSeconds={value}")).is_err(), "{value}");
        }
    }

    #[test]
    fn a_parameter_with_one_value_is_not_repeated() {
        let repeated =
            QueryParameters::read("top=1&top=1&filter=a&filter=b&messageTtlSeconds=1&messageTtlSeconds=2");
        let repeated = repeated.unwrap();
        assert!(repeated.number("top", 1, 9).is_err() && repeated.filter().is_err());
        assert!(repeated.time_to_live().is_err());
        assert_eq!(repeated.one_not_empty("reason"), Ok(None));
    }

    #[test]
    fn a_group_is_required_where_it_is_named_by_a_parameter() {
        for query in ["", "targetName=", "targetName", "targetName=%20", "targetName=a&targetName=b"] {
            assert!(QueryParameters::read(query).unwrap().group("targetName").is_err(), "{query}");
        }
        assert_eq!(QueryParameters::read("targetName=*").unwrap().group("targetName").unwrap().as_str(), "*");
    }

    #[test]
    fn filter_errors_include_their_position() {
        let error = parse_filter("userId lt 1").unwrap_err().to_string();
        assert!(
            error.starts_with("Invalid syntax for 'userId lt 1':") && error.contains("at position 0"),
            "{error}"
        );
    }
}
