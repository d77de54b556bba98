//! Groups, negotiate endpoints and limits that the settings ask for: `?group=NAME` and `?negotiate=URL`, each any number of times,
//! `?id=USER`, `?publish`, `?lines=COUNT`, `?mib=SIZE`, `?url=URL`, `?subprotocol=NAME`.
//!
//! Each negotiate URL is a connection of its own. Groups in that URL (`negotiate?group=NAME`) are joined on its connection; a URL
//! without any gets the groups of the page's address.

use web_sys::Url;
use webpubsub_protocol::{name::GroupName, subprotocol::Subprotocol};

use super::{address_error::AddressError, settings::Settings};
use crate::model::{
    line_store::StoreLimits,
    source::{MAX_SOURCES, Source, source_names},
    stream_command::DEFAULT_GROUP,
};

/// Limit of the lines that an address may ask to retain.
const MAX_LINES: usize = 5_000_000;
/// Limit of the text, in MiB, that an address may ask to retain: a quarter of the memory of WebAssembly.
const MAX_MIB: usize = 1_024;

/// Connections of a viewer, and its limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageAddress {
    /// One for each connection; never empty.
    pub targets: Vec<NegotiateTarget>,
    /// Whether the viewer has a composer.
    pub has_composer: bool,
    /// Subprotocol that clients offer first; `None` leaves the choice to the viewer.
    pub subprotocol: Option<Subprotocol>,
    /// Limits of the line store.
    pub limits: StoreLimits,
}

/// A connection: its negotiate endpoint and its groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NegotiateTarget {
    /// Groups to join; never empty.
    pub groups: Vec<GroupName>,
    /// URL of the negotiate endpoint with user id and groups, or of the service itself.
    pub url: String,
    /// Host of the URL, if the page's address names it and it is not the page's own: whoever made the address chose it.
    pub foreign_host: Option<String>,
}

impl NegotiateTarget {
    /// Returns the endpoint for display: without its query, which may be a secret.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        self.url.split(['?', '#']).next().unwrap_or_default()
    }

    /// Whether the URL is the service's own, so that nothing is negotiated.
    #[must_use]
    pub fn is_direct(&self) -> bool {
        self.url.starts_with("ws")
    }

    fn read(
        negotiate: &str,
        base: &str,
        groups: &[GroupName],
        user: Option<&str>,
    ) -> Result<Self, AddressError> {
        let url = Url::new_with_base(negotiate, base)
            .ok()
            .filter(|url| matches!(url.protocol().as_str(), "http:" | "https:"))
            .ok_or_else(|| AddressError::Negotiate(negotiate.to_owned()))?;
        let mut own =
            groups_of(url.search_params().get_all("group").iter().filter_map(|name| name.as_string()))?;
        if own.is_empty() {
            own = groups.to_vec();
            for group in groups {
                url.search_params().append("group", group.as_str());
            }
        }
        if let Some(user) = user {
            url.search_params().set("id", user);
        }
        Self { groups: own, url: url.href(), foreign_host: None }.with_some_group()
    }

    /// Returns a connection by the service's own URL, token included.
    fn direct(url: &str, groups: &[GroupName]) -> Result<Self, AddressError> {
        let is_websocket = url.starts_with("ws://") || url.starts_with("wss://");
        if !is_websocket {
            return Err(AddressError::Service);
        }
        Self { groups: groups.to_vec(), url: url.to_owned(), foreign_host: None }.with_some_group()
    }

    fn with_some_group(mut self) -> Result<Self, AddressError> {
        if self.groups.is_empty() {
            self.groups.push(GroupName::new(DEFAULT_GROUP)?);
        }
        Ok(self)
    }
}

/// Returns the host of a URL with its port, if it is not that of `base`.
fn foreign_host(url: &str, base: &str) -> Option<String> {
    let host = Url::new(url).ok()?.host();
    let own = Url::new(base).ok().map(|base| base.host());
    (own.as_ref() != Some(&host)).then_some(host)
}

/// Returns a negotiate URL without its groups.
#[must_use]
pub fn without_groups(negotiate_url: &str) -> String {
    with_groups(negotiate_url, &[])
}

/// Returns a negotiate URL with exactly these groups. The default group alone is left out.
#[must_use]
pub fn with_groups(negotiate_url: &str, groups: &[GroupName]) -> String {
    let Ok(url) = Url::new(negotiate_url) else { return negotiate_url.to_owned() };
    url.search_params().delete("group");
    if !matches!(groups, [group] if group.as_str() == DEFAULT_GROUP) {
        for group in groups {
            url.search_params().append("group", group.as_str());
        }
    }
    url.href()
}

impl PageAddress {
    /// Reads the settings of a viewer.
    ///
    /// # Errors
    /// [`AddressError`]: an invalid group name, an invalid address, too many groups, or an unknown subprotocol.
    pub fn read(settings: &Settings) -> Result<Self, AddressError> {
        let groups = groups_of(settings.get_all("group").into_iter())?;
        let user = settings.get("id");
        let direct = settings.get("url");
        let mut endpoints = settings.get_all("negotiate");
        if endpoints.is_empty() && direct.is_none() {
            endpoints.push("negotiate".to_owned());
        }
        let names =
            direct.iter().map(|_| "url").chain(endpoints.iter().map(|_| "negotiate")).collect::<Vec<_>>();
        let mut targets = Vec::new();
        if let Some(url) = &direct {
            targets.push(NegotiateTarget::direct(url, &groups)?);
        }
        for endpoint in endpoints {
            targets.push(NegotiateTarget::read(&endpoint, settings.base(), &groups, user.as_deref())?);
        }
        for (target, name) in targets.iter_mut().zip(names) {
            if settings.is_requested(name) {
                target.foreign_host = foreign_host(&target.url, settings.base());
            }
        }
        let sources: usize = targets.iter().map(|target| target.groups.len()).sum();
        if sources > MAX_SOURCES {
            return Err(AddressError::TooManyGroups(sources));
        }
        let has_composer =
            settings.get("publish").is_some_and(|value| !matches!(value.as_str(), "0" | "false"));
        let subprotocol = subprotocol_of(settings.get("subprotocol").as_deref())?;
        Ok(Self { targets, has_composer, subprotocol, limits: limits_of(settings) })
    }

    /// Returns the groups as sources of the log, in the order of the address.
    #[must_use]
    pub fn sources(&self) -> Vec<Source> {
        let mut groups = Vec::new();
        for (connection, target) in self.targets.iter().enumerate() {
            groups.extend(target.groups.iter().map(|group| (connection, group, target.endpoint())));
        }
        let named: Vec<_> = groups.iter().map(|(_, group, endpoint)| ((*group).clone(), *endpoint)).collect();
        let names = source_names(&named).into_iter();
        names.zip(groups).map(|(name, (at, group, _))| Source::new(name, at, group.clone())).collect()
    }
}

fn subprotocol_of(name: Option<&str>) -> Result<Option<Subprotocol>, AddressError> {
    match name {
        None | Some("") => Ok(None),
        Some("protobuf.reliable") => Ok(Some(Subprotocol::ReliableProtobuf)),
        Some("protobuf") => Ok(Some(Subprotocol::Protobuf)),
        Some("json.reliable") => Ok(Some(Subprotocol::ReliableJson)),
        Some("json") => Ok(Some(Subprotocol::Json)),
        Some(other) => Err(AddressError::Subprotocol(other.to_owned())),
    }
}

/// Returns the requested limits of the line store, within what a browser can hold; the defaults where no number is given.
fn limits_of(settings: &Settings) -> StoreLimits {
    let requested = |name, limit: usize| {
        let number = settings.get(name).and_then(|number| number.parse::<usize>().ok());
        number.map(|number| number.clamp(1, limit))
    };
    let defaults = StoreLimits::default();
    StoreLimits {
        lines: requested("lines", MAX_LINES).unwrap_or(defaults.lines),
        bytes: requested("mib", MAX_MIB).map_or(defaults.bytes, |mib| mib << 20),
        ..defaults
    }
}

/// Parses group names, each kept once; `a,b` names two.
fn groups_of(names: impl Iterator<Item = String>) -> Result<Vec<GroupName>, AddressError> {
    let mut groups = Vec::new();
    for named in names {
        for name in named.split(',') {
            let group = GroupName::new(name)?;
            if !groups.contains(&group) {
                groups.push(group);
            }
        }
    }
    Ok(groups)
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;
    use webpubsub_protocol::name::NameError;

    use super::{super::settings::SettingValues, *};

    fn address(href: &str) -> Result<PageAddress, AddressError> {
        let (_, query) = href.split_once('?').unwrap_or_default();
        PageAddress::read(&Settings::new(SettingValues::from_query(query), href.to_owned()))
    }

    /// Returns groups and URL of each connection.
    fn read(href: &str) -> Vec<(String, String)> {
        let groups =
            |groups: &[GroupName]| groups.iter().map(GroupName::as_str).collect::<Vec<_>>().join(" + ");
        let address = address(href).unwrap();
        address.targets.into_iter().map(|target| (groups(&target.groups), target.url)).collect()
    }

    #[wasm_bindgen_test]
    fn without_parameters_the_endpoint_is_relative_to_the_page() {
        assert_eq!(read("http://h:8080/"), [("stream".into(), "http://h:8080/negotiate".into())]);
        assert_eq!(read("https://h/logs/index.html")[0].1, "https://h/logs/negotiate");
    }

    #[wasm_bindgen_test]
    fn group_user_and_endpoint_come_from_the_address() {
        let read = read("http://h/?group=a%20b&id=ad%26a&negotiate=https%3A%2F%2Fn.example%2Fneg%3Fx%3D1");
        assert_eq!(read, [("a b".into(), "https://n.example/neg?x=1&group=a+b&id=ad%26a".into())]);
        let of_ada = address("http://h/?id=ada").unwrap();
        assert_eq!(of_ada.targets[0].endpoint(), "http://h/negotiate");
        assert!(!of_ada.has_composer && address("http://h/?publish").unwrap().has_composer);
    }

    #[wasm_bindgen_test]
    fn hosts_other_than_the_page_s_are_foreign_if_the_address_names_them() {
        let hosts = |href: &str| {
            let targets = address(href).unwrap().targets.into_iter();
            targets.map(|target| target.foreign_host).collect::<Vec<_>>()
        };
        assert_eq!(hosts("http://h:8080/?negotiate=/other"), [None]);
        assert_eq!(
            hosts(
                "http://h:8080/?negotiate=https%3A%2F%2Fn.example%2Fneg&negotiate=http%3A%2F%2Fh%3A8080%2F"
            ),
            [Some("n.example".into()), None]
        );
        assert_eq!(
            hosts("http://h/?url=wss%3A%2F%2Fs.example%3A444%2Fclient"),
            [Some("s.example:444".into())]
        );
        let mut defaults = Settings::new(SettingValues::default(), "http://h/".to_owned());
        defaults.add_defaults(SettingValues::from_query("negotiate=https%3A%2F%2Fn.example%2Fneg"));
        let of_host = PageAddress::read(&defaults).unwrap();
        assert_eq!(of_host.targets[0].foreign_host, None, "the host of the page chose it");
    }

    #[wasm_bindgen_test]
    fn groups_share_a_connection_and_each_negotiate_url_is_one() {
        for href in ["http://h/?group=a&group=b", "http://h/?group=a,b&group=a"] {
            assert_eq!(read(href), [("a + b".into(), "http://h/negotiate?group=a&group=b".into())]);
        }
        let two = "http://h/?group=a&negotiate=/one&negotiate=https%3A%2F%2Fi%2Ftwo%3Fgroup%3Dx%26group%3Da";
        assert_eq!(
            read(two),
            [
                ("a".into(), "http://h/one?group=a".into()),
                ("x + a".into(), "https://i/two?group=x&group=a".into())
            ]
        );
        let sources = address(two).unwrap().sources();
        let names: Vec<_> = sources.iter().map(|source| (source.name.as_str(), source.connection)).collect();
        assert_eq!(names, [("a at h/one", 0), ("x", 1), ("a at i/two", 1)]);
    }

    #[wasm_bindgen_test]
    fn the_address_sets_the_store_limits_within_bounds() {
        let limits = |href| address(href).unwrap().limits;
        assert_eq!(limits("http://h/"), StoreLimits::default());
        let requested = limits("http://h/?lines=1000000&mib=256");
        assert_eq!((requested.lines, requested.bytes), (1_000_000, 256 << 20));
        let clamped = limits("http://h/?lines=999999999&mib=0");
        assert_eq!((clamped.lines, clamped.bytes), (MAX_LINES, 1 << 20));
        assert_eq!(limits("http://h/?lines=many&mib="), StoreLimits::default());
    }

    #[wasm_bindgen_test]
    fn an_invalid_address_is_refused() {
        let group = address("http://h/?group=%20").unwrap_err();
        assert!(matches!(group, AddressError::Group(NameError::Group { .. })), "{group:?}");
        for bad in ["javascript:alert(1)", "http://", "ftp://h/"] {
            let refused = address(&format!("http://h/?negotiate={bad}"));
            assert_eq!(refused, Err(AddressError::Negotiate(bad.to_owned())));
        }
        let many: Vec<String> = (0..=MAX_SOURCES).map(|number| number.to_string()).collect();
        let refused = address(&format!("http://h/?group={}", many.join(",")));
        assert_eq!(refused, Err(AddressError::TooManyGroups(MAX_SOURCES + 1)));
        assert_eq!(address("http://h/?url=https://h/x"), Err(AddressError::Service));
        assert_eq!(address("http://h/?subprotocol=xml"), Err(AddressError::Subprotocol("xml".to_owned())));
    }
}
