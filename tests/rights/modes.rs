//! Whatever the chart is told, the rights are the same rules: what is proved of one mode holds for the others.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};

use super::rules::{Rule, rules_of};
use crate::manifests::{NAME, rendered};

fn rules(account: &str, values: &str) -> Result<BTreeSet<Rule>> {
    let rules: BTreeSet<Rule> = rules_of(account, &rendered(&["--set", values])?)
        .into_iter()
        .collect();
    ensure!(!rules.is_empty(), "{account} with {values}");
    Ok(rules)
}

#[test]
fn one_process_has_the_rights_of_both_parts() -> Result<()> {
    let parts = |part: &str| rules(&format!("{NAME}-{part}"), "web.separate=true");
    let (controller, web) = (parts("controller")?, parts("web")?);
    let both: BTreeSet<Rule> = controller.union(&web).cloned().collect();
    let one = rules(NAME, "web.separate=false")?;
    ensure!(one == both, "{one:#?} {both:#?}");
    // The page, which strangers reach, goes through nothing and decides nothing.
    for (group, resource, verb) in [
        ("gmail-operator.dev", "mailboxes", "list"),
        ("gmail-operator.dev", "gmailserverprofiles", "list"),
        ("", "namespaces", "list"),
        ("", "secrets", "create"),
        ("", "secrets", "update"),
        ("", "secrets", "delete"),
        ("events.k8s.io", "events", "create"),
    ] {
        let rule = Rule::new(group, resource, verb);
        ensure!(
            !web.contains(&rule) && controller.contains(&rule),
            "{rule:?}"
        );
    }
    ensure!(!web.iter().any(|rule| rule.is_about("leases")));
    Ok(())
}

#[test]
fn roles_in_named_namespaces_allow_what_the_cluster_role_does_but_namespaces() -> Result<()> {
    for (account, separate) in [
        (NAME, false),
        ("gmail-operator-controller", true),
        ("gmail-operator-web", true),
    ] {
        let separate = format!("web.separate={separate}");
        let wide = rules(account, &separate)?;
        let narrow = rules(
            account,
            &format!("{separate},rbac.clusterWide=false,watchNamespaces={{crm,sales}}"),
        )?;
        let mut wanted = BTreeSet::from([Rule::new("", "secrets", "get").within(NAME)]);
        for rule in wide {
            if !rule.is_of_the_cluster() {
                wanted.insert(rule);
            } else if !rule.is_about("namespaces") {
                wanted.insert(rule.clone().within("crm"));
                wanted.insert(rule.within("sales"));
            }
        }
        ensure!(narrow == wanted, "{account}: {narrow:#?} {wanted:#?}");
    }
    Ok(())
}
