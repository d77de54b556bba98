//! Query strings.

use percent_encoding::percent_decode_str;

/// Splits a query into decoded names and values, in their order. `+` is a space, as in the forms of the URL Standard.
pub(crate) fn pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    query.split('&').filter(|pair| !pair.is_empty()).map(move |pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_decoded() {
        let query = "filter=userId+eq+%27a%2Bb%27&%66lag&&empty=&a=b=c";
        let pairs: Vec<_> = pairs(query).collect();
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(pairs, [("filter", "userId eq 'a+b'"), ("flag", ""), ("empty", ""), ("a", "b=c")]);
    }
}
