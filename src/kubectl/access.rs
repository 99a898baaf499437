//! Which cluster, which namespace, and as whom: kubectl's own flags and defaults.

use std::path::PathBuf;

use clap::Args;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use super::error::CommandError;

/// The flags that every command has, as in kubectl.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Cluster")]
pub struct AccessFlags {
    /// The kubeconfig file to use; without it $KUBECONFIG, then ~/.kube/config.
    #[arg(long, global = true, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    kubeconfig: Option<PathBuf>,

    /// The kubeconfig's context to use; without it the current one.
    #[arg(long, global = true, value_name = "NAME")]
    context: Option<String>,

    /// The namespace; without it that of the context, then "default".
    #[arg(short, long, global = true, value_name = "NAMESPACE")]
    namespace: Option<String>,
}

impl AccessFlags {
    /// What the flag says, if it was given.
    pub fn namespace_flag(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// The namespace to work in. A kubeconfig that cannot be read is no obstacle here.
    pub async fn namespace(&self) -> String {
        match &self.namespace {
            Some(namespace) => namespace.clone(),
            None => self
                .config()
                .await
                .map_or_else(|_| "default".to_owned(), |config| config.default_namespace),
        }
    }

    /// A client with the rights of the context's user. Nothing is asked of the API server yet.
    ///
    /// # Errors
    /// No kubeconfig that is usable.
    pub async fn client(&self) -> Result<Client, CommandError> {
        let config = self.config().await?;
        let url = config.cluster_url.clone();
        Client::try_from(config).map_err(|error| {
            CommandError::Failed(format!("the cluster at {url} cannot be used: {error}"))
        })
    }

    /// The cluster's name in the kubeconfig, if there is one.
    pub fn cluster(&self) -> Option<String> {
        let read = match &self.kubeconfig {
            Some(file) => Kubeconfig::read_from(file),
            None => Kubeconfig::read(),
        };
        let kubeconfig = read.ok()?;
        let current = kubeconfig.current_context.as_ref();
        let wanted = self.context.as_ref().or(current)?;
        let mut contexts = kubeconfig.contexts.iter();
        let context = contexts.find(|context| context.name == *wanted)?;
        Some(context.context.as_ref()?.cluster.clone())
    }

    async fn config(&self) -> Result<Config, CommandError> {
        let options = KubeConfigOptions {
            context: self.context.clone(),
            ..KubeConfigOptions::default()
        };
        let config = match &self.kubeconfig {
            Some(file) => match Kubeconfig::read_from(file) {
                Ok(kubeconfig) => Config::from_custom_kubeconfig(kubeconfig, &options).await,
                Err(error) => Err(error),
            },
            None => Config::from_kubeconfig(&options).await,
        };
        match config {
            Ok(config) => Ok(config),
            Err(error) => {
                // In a pod there is no kubeconfig, and none is needed.
                let chosen = self.kubeconfig.is_some() || self.context.is_some();
                Config::incluster().ok().filter(|_| !chosen).ok_or_else(|| {
                    CommandError::Failed(format!(
                        "no usable kubeconfig: {error}. Give one with --kubeconfig or $KUBECONFIG, and its context with --context"
                    ))
                })
            }
        }
    }

    /// The flags again, for a command that is to be run next in `namespace`.
    pub fn again(&self, namespace: &str) -> String {
        let mut text = format!(" --namespace {}", quoted(namespace));
        if let Some(context) = &self.context {
            text.push_str(&format!(" --context {}", quoted(context)));
        }
        if let Some(file) = &self.kubeconfig {
            text.push_str(&format!(
                " --kubeconfig {}",
                quoted(&file.to_string_lossy())
            ));
        }
        text
    }
}

/// `word` as a POSIX shell reads it back.
pub fn quoted(word: &str) -> String {
    // A NUL, which no shell can say, is nothing that a flag can hold.
    shlex::try_quote(word).map_or_else(|_| String::new(), |word| word.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_command_is_for_the_same_cluster() {
        let flags = AccessFlags {
            kubeconfig: Some("/tmp/my config".into()),
            context: Some("prod".into()),
            namespace: None,
        };
        assert_eq!(
            flags.again("mail"),
            " --namespace mail --context prod --kubeconfig '/tmp/my config'"
        );
    }
}
