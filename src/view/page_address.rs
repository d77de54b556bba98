//! What the page's address asks for: `?group=NAME`, `?negotiate=URL`, both as often as wanted, `?id=USER`, `?publish`,
//! `?lines=COUNT`, `?mib=SIZE`, `?url=URL`, `?subprotocol=NAME`. [`Settings`] says where else the same may stand.
//!
//! Each negotiate URL is a connection of its own. Groups that it names itself (`negotiate?group=NAME`) are joined there;
//! one that names none gets the groups of the page's address.

use web_sys::Url;
use webpubsub_protocol::{name::GroupName, subprotocol::Subprotocol};

use super::settings::Settings;
use crate::model::{
    line_store::StoreLimits,
    source::{MAX_SOURCES, Source, source_names},
    stream_command::DEFAULT_GROUP,
};

/// Most lines that an address may ask to be kept.
const MOST_LINES: usize = 5_000_000;
/// Most MiB of text that an address may ask to be kept: a quarter of what WebAssembly can have.
const MOST_MIB: usize = 1_024;

/// What to show, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageAddress {
    /// One for each connection; never none.
    pub negotiations: Vec<Negotiation>,
    /// Whether there is a line to type in.
    pub has_composer: bool,
    /// What clients offer first, if it was said.
    pub subprotocol: Option<Subprotocol>,
    /// How much is kept.
    pub limits: StoreLimits,
}

/// Where to negotiate a connection, and what for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Negotiation {
    /// The groups to join; never none.
    pub groups: Vec<GroupName>,
    /// Where to negotiate, user id and groups included.
    pub url: String,
}

impl Negotiation {
    /// Where to negotiate, for the reader: without what follows `?`, which may be a secret.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        self.url.split(['?', '#']).next().unwrap_or_default()
    }

    /// Whether there is nothing to negotiate: this is the service's own URL.
    #[must_use]
    pub fn is_direct(&self) -> bool {
        self.url.starts_with("ws")
    }

    fn read(negotiate: &str, base: &str, groups: &[GroupName], user: Option<&str>) -> Result<Self, String> {
        let url = Url::new_with_base(negotiate, base)
            .ok()
            .filter(|url| matches!(url.protocol().as_str(), "http:" | "https:"))
            .ok_or_else(|| {
                format!(
                    "`{negotiate}` is no address of a negotiate endpoint: it must be an http or https URL"
                )
            })?;
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
        Self { groups: own, url: url.href() }.with_some_group()
    }

    /// A connection that need not be negotiated: the service's own URL, token included.
    fn direct(url: &str, groups: &[GroupName]) -> Result<Self, String> {
        let is_websocket = url.starts_with("ws://") || url.starts_with("wss://");
        if !is_websocket {
            return Err("`url` is no address of a service: it must be a ws or wss URL".to_owned());
        }
        Self { groups: groups.to_vec(), url: url.to_owned() }.with_some_group()
    }

    fn with_some_group(mut self) -> Result<Self, String> {
        if self.groups.is_empty() {
            self.groups.push(GroupName::new(DEFAULT_GROUP).map_err(|error| error.to_string())?);
        }
        Ok(self)
    }
}

/// A negotiate URL without the groups that it names.
#[must_use]
pub fn without_groups(negotiate_url: &str) -> String {
    with_groups(negotiate_url, &[])
}

/// A negotiate URL that names these groups and no other. The usual one alone need not be named.
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
    /// Reads what a page is set to.
    ///
    /// # Errors
    /// In words for the reader: a name that is no group name, an address that is none, more sources than a page has.
    pub fn read(settings: &Settings) -> Result<Self, String> {
        let groups = groups_of(settings.get_all("group").into_iter())?;
        let user = settings.get("id");
        let direct = settings.get("url");
        let mut endpoints = settings.get_all("negotiate");
        if endpoints.is_empty() && direct.is_none() {
            endpoints.push("negotiate".to_owned());
        }
        let mut negotiations = Vec::new();
        if let Some(url) = &direct {
            negotiations.push(Negotiation::direct(url, &groups)?);
        }
        for endpoint in endpoints {
            negotiations.push(Negotiation::read(&endpoint, settings.base(), &groups, user.as_deref())?);
        }
        let sources: usize = negotiations.iter().map(|negotiation| negotiation.groups.len()).sum();
        if sources > MAX_SOURCES {
            return Err(format!(
                "this address asks for {sources} groups; a page shows {MAX_SOURCES} at most"
            ));
        }
        let has_composer =
            settings.get("publish").is_some_and(|value| !matches!(value.as_str(), "0" | "false"));
        let subprotocol = subprotocol_of(settings.get("subprotocol").as_deref())?;
        Ok(Self { negotiations, has_composer, subprotocol, limits: limits_of(settings) })
    }

    /// The groups as sources of the log, in the order of the address.
    #[must_use]
    pub fn sources(&self) -> Vec<Source> {
        let mut groups = Vec::new();
        for (connection, negotiation) in self.negotiations.iter().enumerate() {
            groups.extend(negotiation.groups.iter().map(|group| (connection, group, negotiation.endpoint())));
        }
        let told: Vec<_> = groups.iter().map(|(_, group, endpoint)| ((*group).clone(), *endpoint)).collect();
        let names = source_names(&told).into_iter();
        names.zip(groups).map(|(name, (at, group, _))| Source::new(name, at, group.clone())).collect()
    }
}

fn subprotocol_of(name: Option<&str>) -> Result<Option<Subprotocol>, String> {
    match name {
        None | Some("") => Ok(None),
        Some("protobuf.reliable") => Ok(Some(Subprotocol::ReliableProtobuf)),
        Some("protobuf") => Ok(Some(Subprotocol::Protobuf)),
        Some("json.reliable") => Ok(Some(Subprotocol::ReliableJson)),
        Some("json") => Ok(Some(Subprotocol::Json)),
        Some(other) => Err(format!(
            "there is no subprotocol `{other}`: give protobuf.reliable, protobuf, json.reliable or json"
        )),
    }
}

/// How much is to be kept; the usual, where no number is said.
fn limits_of(settings: &Settings) -> StoreLimits {
    let asked = |name, most: usize| {
        let number = settings.get(name).and_then(|number| number.parse::<usize>().ok());
        number.map(|number| number.clamp(1, most))
    };
    let usual = StoreLimits::default();
    StoreLimits {
        lines: asked("lines", MOST_LINES).unwrap_or(usual.lines),
        bytes: asked("mib", MOST_MIB).map_or(usual.bytes, |mib| mib << 20),
        ..usual
    }
}

/// All groups that are named, each once; `a,b` names two.
fn groups_of(names: impl Iterator<Item = String>) -> Result<Vec<GroupName>, String> {
    let mut groups = Vec::new();
    for named in names {
        for name in named.split(',') {
            let group = GroupName::new(name).map_err(|error| error.to_string())?;
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

    use super::*;

    fn address(href: &str) -> Result<PageAddress, String> {
        let (_, query) = href.split_once('?').unwrap_or_default();
        PageAddress::read(&Settings::of_query(query, href.to_owned()).unwrap())
    }

    /// The groups of each connection, and where it is negotiated.
    fn read(href: &str) -> Vec<(String, String)> {
        let groups =
            |groups: &[GroupName]| groups.iter().map(GroupName::as_str).collect::<Vec<_>>().join(" + ");
        let address = address(href).unwrap();
        address
            .negotiations
            .into_iter()
            .map(|negotiation| (groups(&negotiation.groups), negotiation.url))
            .collect()
    }

    #[wasm_bindgen_test]
    fn without_parameters_the_page_negotiates_beside_itself() {
        assert_eq!(read("http://h:8080/"), [("stream".into(), "http://h:8080/negotiate".into())]);
        assert_eq!(read("https://h/logs/index.html")[0].1, "https://h/logs/negotiate");
    }

    #[wasm_bindgen_test]
    fn group_user_and_endpoint_come_from_the_address() {
        let read = read("http://h/?group=a%20b&id=ad%26a&negotiate=https%3A%2F%2Fn.example%2Fneg%3Fx%3D1");
        assert_eq!(read, [("a b".into(), "https://n.example/neg?x=1&group=a+b&id=ad%26a".into())]);
        let of_ada = address("http://h/?id=ada").unwrap();
        assert_eq!(of_ada.negotiations[0].endpoint(), "http://h/negotiate");
        assert!(!of_ada.has_composer && address("http://h/?publish").unwrap().has_composer);
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
        let told: Vec<_> = sources.iter().map(|source| (source.name.as_str(), source.connection)).collect();
        assert_eq!(told, [("a at h/one", 0), ("x", 1), ("a at i/two", 1)]);
    }

    #[wasm_bindgen_test]
    fn how_much_is_kept_comes_from_the_address_within_limits() {
        let limits = |href| address(href).unwrap().limits;
        assert_eq!(limits("http://h/"), StoreLimits::default());
        let asked = limits("http://h/?lines=1000000&mib=256");
        assert_eq!((asked.lines, asked.bytes), (1_000_000, 256 << 20));
        let most = limits("http://h/?lines=999999999&mib=0");
        assert_eq!((most.lines, most.bytes), (MOST_LINES, 1 << 20));
        assert_eq!(limits("http://h/?lines=many&mib="), StoreLimits::default());
    }

    #[wasm_bindgen_test]
    fn what_cannot_be_is_said_in_words() {
        let words = address("http://h/?group=%20").unwrap_err();
        assert!(words.contains("is no group name"), "{words}");
        for bad in ["javascript:alert(1)", "http://", "ftp://h/"] {
            let words = address(&format!("http://h/?negotiate={bad}")).unwrap_err();
            assert!(words.contains(bad) && words.contains("http or https"), "{words}");
        }
        let many: Vec<String> = (0..=MAX_SOURCES).map(|number| number.to_string()).collect();
        let words = address(&format!("http://h/?group={}", many.join(","))).unwrap_err();
        assert!(words.contains("17 groups"), "{words}");
    }
}
