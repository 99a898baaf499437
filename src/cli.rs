//! The command line of `gmail-operator`.

mod check;
mod crds;
mod proxies;
mod reasons;
mod reference;
mod run;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use ipnet::IpNet;

use crate::domain::caller::TrustedProxies;
use crate::domain::console::{FORWARDED_PORT, FrontDoor, PublicUrl};
use crate::domain::egress::EgressPolicy;
use crate::domain::reach::Reach;
use crate::domain::server::Endpoint;
use crate::settings::{Component, Pace, Settings};
use crate::telemetry::log::{LogFilter, LogFormat};

pub use reasons::page as reasons_page;
pub use reference::page as reference_page;
pub use run::RunError;

/// Keeps Gmail mailboxes authorised, tested and enabled.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the operator, in a pod or with a kubeconfig.
    Run(Box<RunArgs>),
    /// Writes the custom resource definitions.
    Crds {
        /// A folder to write one file a kind to; standard output without it.
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Checks from inside the cluster that an installation answers; for helm test.
    Check(check::CheckArgs),
    /// Prints every reason with its meaning, who must act and what to do, as Markdown.
    Reasons,
    /// Prints every field of both kinds, as Markdown.
    Reference,
}

/// What is logged, and how it looks.
struct Logging {
    format: LogFormat,
    filter: LogFilter,
}

#[derive(Args, Debug)]
struct RunArgs {
    /// The operator's own namespace, where grants are kept.
    #[arg(long, env = "POD_NAMESPACE", default_value = "gmail-operator")]
    namespace: String,

    /// The name of this replica in the Lease.
    #[arg(long, env = "POD_NAME")]
    identity: Option<String>,

    /// The parts that run in this process.
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["controller", "web"])]
    components: Vec<Component>,

    /// A namespace whose objects are looked after; may be given several times. Without it: all.
    #[arg(long = "watch-namespace", value_name = "NAMESPACE")]
    watch_namespaces: Vec<String>,

    /// The operator has rights in the namespaces of --watch-namespace and in its own, and none in the
    /// cluster. It then does not read Namespaces: a profile serves its own namespace, and others only
    /// if it is in the operator's, which --watch-namespace then has to name.
    #[arg(long, requires = "watch_namespaces")]
    roles_only: bool,

    /// Where the operator is reached from a browser, such as https://mail.example.com or, under a
    /// path of a host that serves others, https://www.example.com/gmail: https, or http on
    /// localhost. A request for another host gets 421, so a proxy in front must pass the Host header
    /// on as it came, and the path too. Without it people
    /// sign in on http://localhost, through a port-forward that `kubectl gmail link NAME
    /// --port-forward` opens.
    #[arg(long, value_name = "URL")]
    public_url: Option<PublicUrl>,

    /// The port on localhost that is forwarded for signing in, where there is no --public-url. Give
    /// another to the plugin as well.
    #[arg(long, value_name = "PORT", default_value = FORWARDED_PORT, value_parser = PublicUrl::forwarded)]
    forwarded_port: PublicUrl,

    /// A Secret in the operator's own namespace, of the type kubernetes.io/tls, with which the
    /// operator ends TLS itself. It is read again every minute, and a new certificate is shown to
    /// new connections. Without it the operator speaks plain http and a proxy in front ends TLS.
    #[arg(long, value_name = "NAME", requires = "public_url")]
    tls_secret: Option<String>,

    /// A network of proxies in front, such as that of the ingress's pods; may be given several
    /// times. Only these are believed when they say in X-Forwarded-For for whom they ask, which is
    /// what limits are counted by. X-Forwarded-Host and Forwarded are never read. Without it, and
    /// with a proxy in front, all people share one limit, which is ten times a person's.
    #[arg(long, value_name = "NETWORK", value_delimiter = ',', value_parser = TrustedProxies::network)]
    trusted_proxies: Vec<IpNet>,

    /// The name of this cluster on the sign-in page.
    #[arg(long, value_name = "NAME")]
    cluster_name: Option<String>,

    /// Where the sign-in page is served.
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8080")]
    listen: SocketAddr,

    /// Where /metrics, /healthz, /readyz and /log-level are served.
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8081")]
    telemetry_listen: SocketAddr,

    /// A server beside Google's that profiles may name; may be given several times.
    #[arg(long = "allow-endpoint", value_name = "HOST:PORT", value_parser = endpoint)]
    allow_endpoints: Vec<Endpoint>,

    /// A network of private, loopback or link-local addresses that servers may be in; may be given
    /// several times.
    #[arg(long = "allow-cidr", value_name = "NETWORK")]
    allow_networks: Vec<IpNet>,

    #[command(flatten)]
    proxies: proxies::ProxyArgs,

    /// How log lines look.
    #[arg(long, value_enum, default_value = "text")]
    log_format: LogFormat,

    /// What is logged: a level, and levels of modules, such as info or
    /// info,gmail_operator::web=debug. It can be changed while the operator runs, by PUT /log-level
    /// on --telemetry-listen, through a port-forward.
    #[arg(long, env = "LOG_LEVEL", default_value = "info")]
    log_level: LogFilter,

    /// A YAML file with other waits; for tests.
    #[arg(long, value_name = "FILE", hide = true)]
    pace_file: Option<PathBuf>,
}

/// Parses `host:port` or `[address]:port`.
fn endpoint(text: &str) -> Result<Endpoint, String> {
    let (host, port) = text.rsplit_once(':').ok_or("give it as HOST:PORT")?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    match port.parse::<u16>() {
        Ok(port) if port > 0 && !host.is_empty() => Ok(Endpoint::new(host, port)),
        _ => Err("give it as HOST:PORT with a port from 1 to 65535".to_owned()),
    }
}

fn reach(namespaces: Vec<String>, roles_only: bool) -> Reach {
    let names: BTreeSet<String> = namespaces.into_iter().collect();
    match (names.is_empty(), roles_only) {
        (true, _) => Reach::Cluster,
        (false, true) => Reach::RolesOnly(names),
        (false, false) => Reach::Named(names),
    }
}

impl RunArgs {
    fn settings(self) -> Result<Settings, RunError> {
        if let (Some(url), Some(_)) = (&self.public_url, &self.tls_secret)
            && !url.is_https()
        {
            return Err(RunError::PlainWithTls(url.origin()));
        }
        Ok(Settings {
            identity: self
                .identity
                .unwrap_or_else(|| format!("process-{}", std::process::id())),
            namespace: self.namespace,
            components: self.components,
            reach: reach(self.watch_namespaces, self.roles_only),
            front_door: match self.public_url {
                Some(url) => FrontDoor::Published(url),
                None => FrontDoor::PortForward(self.forwarded_port),
            },
            cluster_name: self.cluster_name,
            listen: self.listen,
            telemetry_listen: self.telemetry_listen,
            tls_secret: self.tls_secret,
            trusted_proxies: TrustedProxies::new(self.trusted_proxies),
            egress: EgressPolicy::new(self.allow_endpoints, self.allow_networks),
            proxies: self.proxies.proxies()?,
            pace: self
                .pace_file
                .as_deref()
                .map_or_else(|| Ok(Pace::default()), Pace::from_file)?,
        })
    }
}

/// Does what the command line says.
///
/// # Errors
/// [`RunError`], in words for whoever started it.
pub fn main() -> Result<(), RunError> {
    match Cli::parse().command {
        Command::Run(args) => {
            let logging = Logging {
                format: args.log_format,
                filter: args.log_level.clone(),
            };
            run::run(args.settings()?, logging)
        }
        Command::Crds { out } => Ok(crds::write(out.as_deref())?),
        Command::Check(args) => Ok(check::check(&args)?),
        Command::Reasons => {
            print!("{}", reasons_page());
            Ok(())
        }
        Command::Reference => {
            print!("{}", reference_page());
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn endpoints_need_a_host_and_a_port() {
        assert_eq!(endpoint("Mail.Lab:993"), Ok(Endpoint::new("mail.lab", 993)));
        assert_eq!(endpoint("[::1]:993"), Ok(Endpoint::new("::1", 993)));
        for text in [
            "",
            "mail.lab",
            "mail.lab:",
            "mail.lab:0",
            "mail.lab:70000",
            ":993",
        ] {
            assert!(endpoint(text).is_err(), "{text}");
        }
    }
}
