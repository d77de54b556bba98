//! What the page's address asks for: `?group=NAME`, `?negotiate=URL`, `?id=USER`.

use web_sys::Url;
use webpubsub_protocol::name::GroupName;

use crate::model::stream_command::DEFAULT_GROUP;

/// What to show, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageAddress {
    /// The group to join.
    pub group: GroupName,
    /// Where to negotiate, user id included.
    pub negotiate_url: String,
}

impl PageAddress {
    /// Reads the address `href` of a page.
    ///
    /// # Errors
    /// In words for the reader: a name that is no group name, an address that is none.
    pub fn read(href: &str) -> Result<Self, String> {
        let page = Url::new(href).map_err(|_| format!("`{href}` is no address"))?;
        let parameters = page.search_params();
        let group = parameters.get("group").unwrap_or_else(|| DEFAULT_GROUP.to_owned());
        let group = GroupName::new(&group).map_err(|error| error.to_string())?;
        let negotiate = parameters.get("negotiate").unwrap_or_else(|| "negotiate".to_owned());
        let url = Url::new_with_base(&negotiate, href)
            .ok()
            .filter(|url| matches!(url.protocol().as_str(), "http:" | "https:"))
            .ok_or_else(|| {
                format!(
                    "`{negotiate}` is no address of a negotiate endpoint: it must be an http or https URL"
                )
            })?;
        if let Some(user) = parameters.get("id") {
            url.search_params().set("id", &user);
        }
        Ok(Self { group, negotiate_url: url.href() })
    }

    /// Where to negotiate, for the reader: without what follows `?`, which may be a secret.
    #[must_use]
    pub fn negotiate_endpoint(&self) -> &str {
        self.negotiate_url.split(['?', '#']).next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    fn read(href: &str) -> (String, String) {
        let address = PageAddress::read(href).unwrap();
        (address.group.to_string(), address.negotiate_url)
    }

    #[wasm_bindgen_test]
    fn without_parameters_the_page_negotiates_beside_itself() {
        assert_eq!(read("http://h:8080/"), ("stream".into(), "http://h:8080/negotiate".into()));
        assert_eq!(read("https://h/logs/index.html").1, "https://h/logs/negotiate");
    }

    #[wasm_bindgen_test]
    fn group_user_and_endpoint_come_from_the_address() {
        let (group, url) =
            read("http://h/?group=a%20b&id=ad%26a&negotiate=https%3A%2F%2Fn.example%2Fneg%3Fx%3D1");
        assert_eq!((group.as_str(), url.as_str()), ("a b", "https://n.example/neg?x=1&id=ad%26a"));
        let endpoint = PageAddress::read("http://h/?id=ada").unwrap();
        assert_eq!(endpoint.negotiate_endpoint(), "http://h/negotiate");
    }

    #[wasm_bindgen_test]
    fn what_cannot_be_is_said_in_words() {
        let words = PageAddress::read("http://h/?group=%20").unwrap_err();
        assert!(words.contains("is no group name"), "{words}");
        for bad in ["javascript:alert(1)", "http://", "ftp://h/"] {
            let words = PageAddress::read(&format!("http://h/?negotiate={bad}")).unwrap_err();
            assert!(words.contains(bad) && words.contains("http or https"), "{words}");
        }
    }
}
