//! Where the site will be.

use anyhow::{Result, bail};

/// The address of the site's folder.
#[derive(Clone, Debug)]
pub struct Base {
    /// It, with a slash at its end.
    whole: String,
    /// Where its path begins.
    path_at: usize,
}

impl Base {
    /// An address such as `https://example.org/playground/`.
    ///
    /// # Errors
    ///
    /// If it is not a whole one, or has more than a path.
    pub fn new(address: &str) -> Result<Self> {
        let scheme = ["https://", "http://"]
            .into_iter()
            .find(|scheme| address.starts_with(scheme));
        let Some(scheme) = scheme else {
            bail!(
                "--base: found {address:?}, accepted: a whole address such as https://example.org/playground/"
            );
        };
        let host = address[scheme.len()..]
            .split('/')
            .next()
            .unwrap_or_default();
        let odd = |letter: char| {
            letter.is_whitespace() || letter.is_control() || "?#\"'<>\\".contains(letter)
        };
        if host.is_empty() || address.contains(odd) {
            bail!(
                "--base: found {address:?}, accepted: an address with a host and a path, and nothing behind them"
            );
        }
        let path_at = scheme.len() + host.len();
        let whole = format!("{}/", address.trim_end_matches('/'));
        Ok(Self { whole, path_at })
    }

    /// The address of something in the site.
    pub fn address(&self, path: &str) -> String {
        format!("{}{path}", self.whole)
    }

    /// The path of the site's folder on its host, with a slash at both ends.
    pub fn path(&self) -> &str {
        &self.whole[self.path_at..]
    }
}

#[cfg(test)]
mod tests {
    use super::Base;

    #[test]
    fn addresses_of_a_folder_are_taken_with_and_without_a_slash() {
        for (given, path) in [
            ("https://example.org", "/"),
            ("https://example.org/", "/"),
            ("https://example.org/a/b", "/a/b/"),
            ("http://127.0.0.1:8080/a/", "/a/"),
        ] {
            let base = Base::new(given).unwrap();
            assert_eq!(base.path(), path, "{given}");
            assert!(base.address("x.png").ends_with(&format!("{path}x.png")));
        }
    }

    #[test]
    fn what_is_no_address_of_a_folder_is_refused() {
        for given in [
            "",
            "example.org",
            "https://",
            "https://example.org/?a",
            "https://example.org/#x",
            "ftp://example.org/",
            "https://a b/",
        ] {
            assert!(Base::new(given).is_err(), "{given}");
        }
    }
}
