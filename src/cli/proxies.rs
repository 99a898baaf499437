use std::env;
use std::str::FromStr;

use clap::Args;
use secrecy::{ExposeSecret, SecretString};

use crate::domain::proxy::{BadProxyUrl, Proxies, ProxyUrl};

/// The proxies on the way out. Their URLs may hold passwords, so nothing here is printed: not as a
/// default in the help, and not in an error.
#[derive(Args, Debug)]
pub(super) struct ProxyArgs {
    /// An HTTP proxy to OAuth servers, such as http://proxy.example.com:3128, with a name and a
    /// password where it wants them: http://NAME:PASSWORD@HOST:PORT. Also read from https_proxy.
    #[arg(long, env = "HTTPS_PROXY", hide_env_values = true, value_name = "URL")]
    https_proxy: Option<Hidden>,

    /// The same to mail servers, which are connected to by HTTP CONNECT to their ports.
    #[arg(long, env = "MAIL_PROXY", hide_env_values = true, value_name = "URL")]
    mail_proxy: Option<Hidden>,

    /// Servers that are connected to without a proxy: names, with all names below them, addresses
    /// and networks, with commas between. Also read from no_proxy.
    #[arg(long, env = "NO_PROXY", value_name = "HOSTS")]
    no_proxy: Option<String>,
}

/// A value that is looked at later: clap would print a wrong one.
#[derive(Clone, Debug)]
struct Hidden(SecretString);

impl FromStr for Hidden {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.into()))
    }
}

/// A proxy that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{flag} ({variable} in the environment) is not usable: {why}")]
pub struct BadProxyFlag {
    flag: &'static str,
    variable: &'static str,
    why: BadProxyUrl,
}

impl ProxyArgs {
    pub(super) fn proxies(self) -> Result<Proxies, BadProxyFlag> {
        let https = self.https_proxy.filter(Hidden::is_given);
        let https = https.or_else(|| lower_case("https_proxy")?.parse().ok());
        let except = self.no_proxy.filter(|hosts| !hosts.is_empty());
        let except = except.or_else(|| lower_case("no_proxy"));
        Ok(Proxies {
            https: usable(https, "--https-proxy", "HTTPS_PROXY")?,
            mail: usable(self.mail_proxy, "--mail-proxy", "MAIL_PROXY")?,
            except: except.unwrap_or_default(),
        })
    }
}

impl Hidden {
    fn is_given(&self) -> bool {
        !self.0.expose_secret().is_empty()
    }
}

/// A variable as curl and others read it in lower case too. What is not Unicode is refused later.
fn lower_case(variable: &str) -> Option<String> {
    let value = env::var_os(variable).filter(|value| !value.is_empty());
    value.map(|value| value.to_string_lossy().into_owned())
}

/// An empty value is none, so that a variable can be unset by it.
fn usable(
    given: Option<Hidden>,
    flag: &'static str,
    variable: &'static str,
) -> Result<Option<ProxyUrl>, BadProxyFlag> {
    let Some(given) = given.filter(Hidden::is_given) else {
        return Ok(None);
    };
    let url = given.0.expose_secret().parse();
    url.map(Some).map_err(|why| BadProxyFlag {
        flag,
        variable,
        why,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_url_is_told_without_its_password() {
        let args = |https: &str, mail: &str| ProxyArgs {
            https_proxy: Some(https.parse().unwrap()),
            mail_proxy: Some(mail.parse().unwrap()),
            no_proxy: Some("x".to_owned()),
        };
        let good = args("", "http://proxy.example:3128").proxies().unwrap();
        assert!(good.mail.is_some());
        for (https, mail, flag) in [
            ("socks5://ann:word@p", "", "--https-proxy (HTTPS_PROXY"),
            ("", "http://ann:word@", "--mail-proxy (MAIL_PROXY"),
        ] {
            let given = args(https, mail);
            assert!(!format!("{given:?}").contains("word"));
            let error = given.proxies().unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(
                shown.starts_with(flag) && !shown.contains("word"),
                "{shown}"
            );
        }
    }
}
