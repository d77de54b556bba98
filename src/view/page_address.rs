//! What the page's address asks for: `?group=NAME`, `?negotiate=URL`, both as often as wanted, `?id=USER`, `?publish`,
//! `?lines=COUNT`, `?mib=SIZE`.
//!
//! Each negotiate URL is a connection of its own. Groups that it names itself (`negotiate?group=NAME`) are joined there;
//! one that names none gets the groups of the page's address.

use js_sys::Array;
use web_sys::{Url, UrlSearchParams};
use webpubsub_protocol::name::GroupName;

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

    fn read(negotiate: &str, href: &str, groups: &[GroupName], user: Option<&str>) -> Result<Self, String> {
        let url = Url::new_with_base(negotiate, href)
            .ok()
            .filter(|url| matches!(url.protocol().as_str(), "http:" | "https:"))
            .ok_or_else(|| {
                format!(
                    "`{negotiate}` is no address of a negotiate endpoint: it must be an http or https URL"
                )
            })?;
        let mut own = groups_of(&url.search_params())?;
        if own.is_empty() {
            own = groups.to_vec();
            for group in groups {
                url.search_params().append("group", group.as_str());
            }
        }
        if own.is_empty() {
            own.push(GroupName::new(DEFAULT_GROUP).map_err(|error| error.to_string())?);
        }
        if let Some(user) = user {
            url.search_params().set("id", user);
        }
        Ok(Self { groups: own, url: url.href() })
    }
}

impl PageAddress {
    /// Reads the address `href` of a page.
    ///
    /// # Errors
    /// In words for the reader: a name that is no group name, an address that is none, more sources than a page has.
    pub fn read(href: &str) -> Result<Self, String> {
        let page = Url::new(href).map_err(|_| format!("`{href}` is no address"))?;
        let parameters = page.search_params();
        let groups = groups_of(&parameters)?;
        let user = parameters.get("id");
        let mut endpoints = texts(&parameters.get_all("negotiate"));
        if endpoints.is_empty() {
            endpoints.push("negotiate".to_owned());
        }
        let mut negotiations = Vec::new();
        let mut sources = 0;
        for endpoint in endpoints {
            let negotiation = Negotiation::read(&endpoint, href, &groups, user.as_deref())?;
            sources += negotiation.groups.len();
            negotiations.push(negotiation);
        }
        if sources > MAX_SOURCES {
            return Err(format!(
                "this address asks for {sources} groups; a page shows {MAX_SOURCES} at most"
            ));
        }
        let has_composer = parameters.get("publish").is_some_and(|value| value != "0");
        Ok(Self { negotiations, has_composer, limits: limits_of(&parameters) })
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

/// How much a query asks to be kept; the usual, where it says no number.
fn limits_of(parameters: &UrlSearchParams) -> StoreLimits {
    let asked = |name, most: usize| {
        let number = parameters.get(name).and_then(|number| number.parse::<usize>().ok());
        number.map(|number| number.clamp(1, most))
    };
    let usual = StoreLimits::default();
    StoreLimits {
        lines: asked("lines", MOST_LINES).unwrap_or(usual.lines),
        bytes: asked("mib", MOST_MIB).map_or(usual.bytes, |mib| mib << 20),
        ..usual
    }
}

/// All groups that a query names, each once; `a,b` names two.
fn groups_of(parameters: &UrlSearchParams) -> Result<Vec<GroupName>, String> {
    let mut groups = Vec::new();
    for named in texts(&parameters.get_all("group")) {
        for name in named.split(',') {
            let group = GroupName::new(name).map_err(|error| error.to_string())?;
            if !groups.contains(&group) {
                groups.push(group);
            }
        }
    }
    Ok(groups)
}

fn texts(values: &Array) -> Vec<String> {
    values.iter().filter_map(|value| value.as_string()).collect()
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    /// The groups of each connection, and where it is negotiated.
    fn read(href: &str) -> Vec<(String, String)> {
        let groups =
            |groups: &[GroupName]| groups.iter().map(GroupName::as_str).collect::<Vec<_>>().join(" + ");
        let address = PageAddress::read(href).unwrap();
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
        let address = PageAddress::read("http://h/?id=ada").unwrap();
        assert_eq!(address.negotiations[0].endpoint(), "http://h/negotiate");
        assert!(!address.has_composer && PageAddress::read("http://h/?publish").unwrap().has_composer);
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
        let sources = PageAddress::read(two).unwrap().sources();
        let told: Vec<_> = sources.iter().map(|source| (source.name.as_str(), source.connection)).collect();
        assert_eq!(told, [("a at h/one", 0), ("x", 1), ("a at i/two", 1)]);
    }

    #[wasm_bindgen_test]
    fn how_much_is_kept_comes_from_the_address_within_limits() {
        let limits = |href| PageAddress::read(href).unwrap().limits;
        assert_eq!(limits("http://h/"), StoreLimits::default());
        let asked = limits("http://h/?lines=1000000&mib=256");
        assert_eq!((asked.lines, asked.bytes), (1_000_000, 256 << 20));
        let most = limits("http://h/?lines=999999999&mib=0");
        assert_eq!((most.lines, most.bytes), (MOST_LINES, 1 << 20));
        assert_eq!(limits("http://h/?lines=many&mib="), StoreLimits::default());
    }

    #[wasm_bindgen_test]
    fn what_cannot_be_is_said_in_words() {
        let words = PageAddress::read("http://h/?group=%20").unwrap_err();
        assert!(words.contains("is no group name"), "{words}");
        for bad in ["javascript:alert(1)", "http://", "ftp://h/"] {
            let words = PageAddress::read(&format!("http://h/?negotiate={bad}")).unwrap_err();
            assert!(words.contains(bad) && words.contains("http or https"), "{words}");
        }
        let many: Vec<String> = (0..=MAX_SOURCES).map(|number| number.to_string()).collect();
        let words = PageAddress::read(&format!("http://h/?group={}", many.join(","))).unwrap_err();
        assert!(words.contains("17 groups"), "{words}");
    }
}
