//! The shape of the program: dependencies point one way, files stay short, generated files are as
//! generated.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
    {
        if entry.is_dir() {
            files.extend(rust_files(&entry));
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            files.push(entry);
        }
    }
    files
}

/// The rooms that each room may look into.
fn allowed() -> BTreeMap<&'static str, Vec<&'static str>> {
    let table: [(&str, &[&str]); 13] = [
        ("api", &[]),
        ("domain", &["api"]),
        ("telemetry", &["api"]),
        ("net", &["domain", "telemetry"]),
        ("google", &["api", "domain", "net", "telemetry"]),
        ("mail", &["api", "domain", "net"]),
        ("cluster", &["api", "domain", "telemetry"]),
        ("settings", &["domain"]),
        ("grant", &["api", "domain", "net", "google", "cluster"]),
        ("probe", &["api", "domain", "net", "mail", "telemetry"]),
        (
            "controller",
            &[
                "api",
                "domain",
                "net",
                "google",
                "cluster",
                "mail",
                "grant",
                "probe",
                "settings",
                "telemetry",
            ],
        ),
        (
            "web",
            &[
                "api",
                "domain",
                "net",
                "google",
                "cluster",
                "grant",
                "telemetry",
            ],
        ),
        ("kubectl", &["api", "domain", "cluster"]),
    ];
    table
        .into_iter()
        .map(|(room, others)| (room, others.to_vec()))
        .collect()
}

#[test]
fn dependencies_point_one_way() {
    let rooms = allowed();
    let mut wrong = Vec::new();
    let mut looked = 0;
    for file in rust_files(&root().join("src")) {
        let inside = file.strip_prefix(root().join("src")).unwrap();
        let room = inside
            .iter()
            .next()
            .unwrap()
            .to_str()
            .unwrap()
            .trim_end_matches(".rs")
            .to_owned();
        let Some(others) = rooms.get(room.as_str()) else {
            assert!(
                matches!(room.as_str(), "lib" | "main" | "cli" | "bin"),
                "{} is in no room",
                inside.display()
            );
            continue;
        };
        for line in fs::read_to_string(&file)
            .unwrap()
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
        {
            for found in line.split("crate::").skip(1) {
                let other: String = found
                    .chars()
                    .take_while(|c| c.is_ascii_lowercase() || *c == '_')
                    .collect();
                looked += 1;
                if !other.is_empty() && other != room && !others.contains(&other.as_str()) {
                    wrong.push(format!("{}: {}", inside.display(), line.trim()));
                }
            }
        }
    }
    assert!(looked > 300, "only {looked} uses were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_are_short() {
    let long: Vec<_> = rust_files(&root().join("src"))
        .into_iter()
        .filter(|file| fs::read_to_string(file).unwrap().lines().count() > 600)
        .collect();
    assert!(long.is_empty(), "{long:?}");
}

#[test]
fn generated_files_are_as_generated() {
    for file in gmail_operator::api::crds() {
        let written = fs::read_to_string(root().join("crds").join(&file.name)).unwrap();
        assert!(
            written == serde_saphyr::to_string(&file.crd).unwrap(),
            "crds/{} is not as generated: run `make generate`",
            file.name
        );
    }
    for (name, page) in [
        ("reference.md", gmail_operator::cli::reference_page()),
        ("reasons.md", gmail_operator::cli::reasons_page()),
    ] {
        let written = fs::read_to_string(root().join("docs").join(name)).unwrap();
        assert!(
            written == page,
            "docs/{name} is not as generated: run `make generate`"
        );
    }
}

#[test]
fn each_control_has_a_test_of_its_name() {
    let security = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let mut named = 0;
    for name in security.split('`').filter(|word| word.contains("::")) {
        named += 1;
        let (modules, function) = name.rsplit_once("::").unwrap();
        let file = root().join("tests").join(modules.replace("::", "/"));
        let source = fs::read_to_string(file.with_extension("rs")).unwrap();
        let head = format!("fn {function}() ");
        assert!(source.contains(&head), "there is no test {name}");
    }
    assert!(named > 20, "only {named} tests were found");
}

/// A filter that fits no test runs none, and that is no error.
#[test]
fn each_filter_of_the_makefile_fits_a_test() {
    let makefile = fs::read_to_string(root().join("Makefile")).unwrap();
    let commands = makefile.lines().filter(|line| line.contains("--ignored"));
    let filters: Vec<&str> = commands
        .filter_map(|line| line.split(' ').next_back())
        .collect();
    assert!(!filters.is_empty());
    for filter in filters {
        let (module, test) = filter.split_once("::").unwrap();
        let file = root().join(format!("tests/{module}.rs"));
        let source = fs::read_to_string(file).unwrap_or_else(|error| panic!("{filter}: {error}"));
        let ignored = source.split("#[ignore").skip(1);
        let mut names = ignored.filter_map(|after| after.split("fn ").nth(1)?.split('(').next());
        let fits = names.any(|name| test.is_empty() || name == test);
        assert!(fits, "{filter} fits no test");
    }
}
