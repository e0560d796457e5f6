//! Who depends on whom: "a database per service", made impossible to break by accident.

use std::collections::BTreeMap;

use cargo_metadata::{DependencyKind, MetadataCommand, Package};
use oxcart_tests::workspace;

/// What the rules of the shop must never need.
const CLOUD: [&str; 8] = [
    "aws", "lambda", "tokio", "reqwest", "ureq", "hyper", "http", "tracing",
];

#[test]
fn services_depend_on_shared_crates_only() {
    let packages = packages();
    for (folder, package) in &packages {
        if folder.starts_with("functions/") {
            for dependency in ours(package) {
                assert!(
                    dependency.starts_with("shared/"),
                    "{folder} must not depend on {dependency}"
                );
            }
        }
    }
    assert_eq!(
        packages
            .keys()
            .filter(|folder| folder.starts_with("functions/"))
            .count(),
        services().len()
    );
}

#[test]
fn shared_crates_depend_on_shared_crates_only() {
    for (folder, package) in packages() {
        if folder.starts_with("shared/") {
            for dependency in ours(&package) {
                assert!(
                    dependency.starts_with("shared/"),
                    "{folder} must not depend on {dependency}"
                );
            }
        }
    }
}

#[test]
fn the_domain_depends_on_nothing_of_ours_and_on_no_cloud() {
    let packages = packages();
    let domain = &packages["shared/domain"];
    assert_eq!(ours(domain), Vec::<String>::new());
    for dependency in &domain.dependencies {
        let family = dependency.name.split(['-', '_']).next().unwrap();
        assert!(
            !CLOUD.contains(&family),
            "the domain must not depend on {}",
            dependency.name
        );
    }
}

#[test]
fn the_operators_program_knows_the_rules_and_no_service() {
    assert_eq!(
        ours(&packages()["ops"]),
        ["shared/domain", "shared/operating"]
    );
}

#[test]
fn no_function_carries_a_terminal() {
    for (folder, package) in packages() {
        if folder.starts_with("functions/") || folder.starts_with("shared/") {
            let mut dependencies = package.dependencies.iter();
            let parses_arguments = dependencies.any(|dependency| dependency.name == "clap");
            assert!(!parses_arguments, "{folder} parses a command line");
        }
    }
}

#[test]
fn what_measures_links_nothing_that_it_measures_but_the_step_that_many_run_at_once() {
    let packages = packages();
    assert_eq!(ours(&packages["bench/hello"]), Vec::<String>::new());
    let mut linked = ours(&packages["bench"]);
    linked.sort();
    let step = [
        "functions/inventory",
        "shared/domain",
        "shared/lambda",
        "shared/table",
    ];
    assert_eq!(linked, step);
}

#[test]
fn nothing_depends_on_the_tests_on_xtask_or_on_the_operators_program() {
    for (folder, package) in packages() {
        for dependency in ours(&package) {
            assert!(
                !["tests", "xtask", "ops", "bench"].contains(&dependency.as_str()),
                "{folder} must not depend on {dependency}"
            );
        }
    }
}

#[test]
fn the_tests_link_nothing_that_they_test_but_the_gateways_adapter() {
    let packages = packages();
    let linked = |kind: DependencyKind| {
        let mut package = packages["tests"].clone();
        package
            .dependencies
            .retain(|dependency| dependency.kind == kind);
        ours(&package)
    };
    assert_eq!(linked(DependencyKind::Normal), Vec::<String>::new());
    let mut adapter = linked(DependencyKind::Development);
    adapter.sort();
    assert_eq!(adapter, ["functions/payments", "shared/domain"]);

    for file in workspace::files_below("tests", "rs") {
        let text = workspace::text(&file);
        let links = text.lines().any(|line| {
            let line = line.trim_start();
            line.starts_with("use oxcart_payments") || line.starts_with("use oxcart_domain")
        });
        let may = file.to_string_lossy().contains("/gateway_contract");
        assert!(!links || may, "{} links what it tests", file.display());
    }
}

#[test]
fn dependencies_are_declared_once_for_all() {
    for file in workspace::folders("functions")
        .iter()
        .chain(&workspace::folders("shared"))
        .chain(&["ops", "bench", "bench/hello"].map(|folder| workspace::root().join(folder)))
    {
        let manifest = workspace::text(file.join("Cargo.toml"));
        let own = manifest
            .lines()
            .skip_while(|line| !line.contains("dependencies]"))
            .find(|line| line.contains('=') && !line.contains("workspace"));
        assert_eq!(own, None, "{}: take it from the workspace", file.display());
    }
}

#[test]
fn no_local_build_waits_for_aws_clients_to_be_optimised() {
    let manifest = workspace::text(workspace::root().join("Cargo.toml"));
    let dependencies = manifest.lines().filter_map(|line| line.split_once(" = "));
    let clients: Vec<&str> = dependencies
        .map(|(name, _)| name)
        .filter(|name| name.starts_with("aws-sdk-"))
        .collect();
    assert!(!clients.is_empty(), "the workspace declares AWS's clients");
    for client in clients {
        let profile = format!("[profile.local.package.{client}]\nopt-level = 0\n");
        assert!(manifest.contains(&profile), "{client} has no profile");
    }
}

/// The crates of the workspace, by folder.
fn packages() -> BTreeMap<String, Package> {
    let metadata = MetadataCommand::new()
        .manifest_path(workspace::root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo knows the workspace");
    let folder = |package: &Package| {
        relative(
            package
                .manifest_path
                .parent()
                .expect("a manifest lies in a folder")
                .as_str(),
        )
    };
    metadata
        .packages
        .into_iter()
        .map(|package| (folder(&package), package))
        .collect()
}

/// The folders of the workspace's crates that a crate depends on, for whatever purpose.
fn ours(package: &Package) -> Vec<String> {
    let paths = package
        .dependencies
        .iter()
        .filter_map(|dependency| dependency.path.as_ref());
    paths.map(|path| relative(path.as_str())).collect()
}

fn services() -> Vec<String> {
    let folders = workspace::folders("functions");
    folders
        .iter()
        .filter(|folder| folder.join("Cargo.toml").is_file())
        .map(|folder| relative(folder.to_str().unwrap()))
        .collect()
}

fn relative(path: &str) -> String {
    let root = workspace::root();
    path.strip_prefix(root.to_str().unwrap())
        .unwrap_or(path)
        .trim_start_matches('/')
        .to_owned()
}
