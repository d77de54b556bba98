//! Settings of the viewer: from the address, from the browser's storage, from whoever put the page where it is.
//!
//! All three use the same names; `docs/configuration.md` lists them.

use std::collections::BTreeMap;

use gloo_net::http::Request;
use serde::{Deserialize, de::IgnoredAny};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{HtmlElement, Storage, Window};

/// Attribute of `<html>` that names a file of settings beside the page.
const CONFIG_ATTRIBUTE: &str = "data-config";

/// See the [module](self).
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// From the page's address, or the element's attributes.
    requested: SettingValues,
    /// Apply where nothing is requested or stored.
    defaults: SettingValues,
    storage: Option<Storage>,
    base: String,
}

/// Settings by name. A name may have several values.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "BTreeMap<String, Entry>")]
pub struct SettingValues(Vec<(String, String)>);

/// Value of a member in JSON, or of a property in JavaScript.
#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Several(Vec<Option<Scalar>>),
    One(Option<Scalar>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Flag(bool),
    Integer(i64),
    Number(f64),
}

impl Scalar {
    fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Flag(flag) => flag.to_string(),
            Self::Integer(number) => number.to_string(),
            Self::Number(number) => number.to_string(),
        }
    }
}

impl From<BTreeMap<String, Entry>> for SettingValues {
    fn from(members: BTreeMap<String, Entry>) -> Self {
        let mut values = Vec::new();
        for (name, entry) in members {
            let scalars = match entry {
                Entry::Several(scalars) => scalars,
                Entry::One(scalar) => vec![scalar],
            };
            values.extend(scalars.into_iter().flatten().map(|scalar| (name.clone(), scalar.into_text())));
        }
        Self(values)
    }
}

impl SettingValues {
    /// Parses the query of a URL, with or without `?`.
    #[must_use]
    pub fn from_query(query: &str) -> Self {
        let query = query.strip_prefix('?').unwrap_or(query);
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s str> {
        self.0.iter().filter(move |(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

/// Content of a settings file.
#[derive(Deserialize)]
#[serde(untagged)]
enum ConfigFile {
    Object(SettingValues),
    Other(IgnoredAny),
}

impl Settings {
    /// Returns settings from values alone, without defaults or storage. Relative addresses in them are resolved against `base`.
    #[must_use]
    pub fn new(requested: SettingValues, base: String) -> Self {
        Self { requested, base, ..Self::default() }
    }

    /// Returns the settings of a standalone page: its address first, then the storage, then the `data-` attributes of its body.
    ///
    /// # Errors
    /// The browser's error when the page has no address, or a body with attributes that cannot be read.
    pub fn of_page(window: &Window) -> Result<Self, JsValue> {
        let location = window.location();
        let mut settings = Self::new(SettingValues::from_query(&location.search()?), location.href()?);
        // A browser, or its user, may forbid storage.
        settings.storage = window.local_storage().ok().flatten();
        if let Some(body) = window.document().and_then(|document| document.body()) {
            let attributes = HtmlElement::dataset(&body).into();
            settings.add_defaults(serde_wasm_bindgen::from_value(attributes)?);
        }
        Ok(settings)
    }

    /// Returns the settings of a standalone page as [`Settings::of_page`] does, with the defaults of the file that
    /// `<html data-config="FILE">` names. A page without that attribute requests no file.
    ///
    /// # Errors
    /// A sentence for the user: a file that exists cannot be read.
    pub async fn of_page_and_file(window: &Window) -> Result<Self, String> {
        let mut settings = Self::of_page(window).map_err(|error| format!("{error:?}"))?;
        let root = window.document().and_then(|document| document.document_element());
        if let Some(file) = root.and_then(|root| root.get_attribute(CONFIG_ATTRIBUTE)) {
            let config = read_config(&file).await;
            let config =
                config.map_err(|reason| format!("the page's settings, {file}, cannot be read: {reason}"))?;
            settings.add_defaults(config);
        }
        Ok(settings)
    }

    /// Address against which relative addresses are resolved.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Returns the value of a setting.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        let stored = || self.storage.as_ref()?.get_item(&storage_key(name)).ok()?;
        let requested = self.requested.get(name).map(str::to_owned);
        requested.or_else(stored).or_else(|| self.defaults.get(name).map(str::to_owned))
    }

    /// Returns all values of a setting that may have several. None of these are stored.
    #[must_use]
    pub fn get_all(&self, name: &str) -> Vec<String> {
        let requested: Vec<String> = self.requested.all(name).map(str::to_owned).collect();
        if requested.is_empty() { self.defaults.all(name).map(str::to_owned).collect() } else { requested }
    }

    /// Whether a setting is requested by the page's address, or the element's attributes.
    #[must_use]
    pub fn is_requested(&self, name: &str) -> bool {
        self.requested.get(name).is_some()
    }

    /// Stores a value that the user chose. Returns whether it is stored: an embedded viewer has no storage, and a browser's may be
    /// full or forbidden.
    pub fn store(&self, name: &str, value: &str) -> bool {
        self.storage.as_ref().is_some_and(|storage| storage.set_item(&storage_key(name), value).is_ok())
    }

    pub(super) fn add_defaults(&mut self, values: SettingValues) {
        self.defaults.0.extend(values.0);
    }
}

fn storage_key(name: &str) -> String {
    format!("tailcast.{name}")
}

/// Reads a settings file. A missing one is empty: not every host needs it.
async fn read_config(file: &str) -> Result<SettingValues, String> {
    let response = Request::get(file).send().await.map_err(|error| error.to_string())?;
    match response.status() {
        404 => Ok(SettingValues::default()),
        200..300 => parse_config(&response.text().await.map_err(|error| error.to_string())?),
        status => Err(format!("the server answered {status}")),
    }
}

/// Parses a settings file. The browser's parser is there already: another one would add 4 KiB to the page.
fn parse_config(text: &str) -> Result<SettingValues, String> {
    let json = js_sys::JSON::parse(text).map_err(|error| {
        let message = error.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message()));
        message.unwrap_or_else(|| "it is no JSON".to_owned())
    })?;
    match serde_wasm_bindgen::from_value(json).map_err(|error| error.to_string())? {
        ConfigFile::Object(values) => Ok(values),
        ConfigFile::Other(_) => Err("it is no JSON object".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    fn values(source: &str) -> SettingValues {
        serde_wasm_bindgen::from_value(js_sys::JSON::parse(source).unwrap()).unwrap()
    }

    #[wasm_bindgen_test]
    fn numbers_flags_and_lists_of_json_are_settings_and_null_is_none() {
        let values =
            values(r#"{ "group": ["a", "b"], "lines": 500, "mib": 1.5, "wrap": true, "find": null }"#);
        assert_eq!(values.all("group").collect::<Vec<_>>(), ["a", "b"]);
        let one = |name| values.get(name);
        assert_eq!(
            [one("lines"), one("mib"), one("wrap"), one("find")],
            [Some("500"), Some("1.5"), Some("true"), None]
        );
    }

    #[wasm_bindgen_test]
    fn a_query_is_decoded_and_comes_before_the_defaults() {
        let requested = SettingValues::from_query("?group=a%20b&group=c+d&wrap");
        let mut settings = Settings::new(requested, "http://h/".to_owned());
        settings.add_defaults(values(r#"{ "group": "x", "time": "clock" }"#));
        assert_eq!(settings.get_all("group"), ["a b", "c d"]);
        assert_eq!(
            (settings.get("wrap").as_deref(), settings.get("time").as_deref()),
            (Some(""), Some("clock"))
        );
        assert!(!settings.store("wrap", "1"), "there is no storage");
    }
}
