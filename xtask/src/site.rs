//! Builds the site, which is the API's document as pages, and puts it beside the functions that serve it. Knows npm.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::console::Console;
use crate::failure::{Explain, Outcome};
use crate::files;
use crate::layout::Layout;
use crate::tool;
use crate::tools;

/// The functions that carry the site beside their program: all of it, or one file.
const CARRIERS: [(&str, Option<&str>); 2] = [
    ("serve-docs", None),
    ("answer-unrouted", Some("openapi.json")),
];

/// The name of the file that says for which lock file packages were installed: a copy of it.
const STAMP: &str = ".installed-for";

/// Builds the site, unless it was built from what there is now.
pub(crate) fn build(layout: &Layout, console: &Console) -> Outcome {
    let site = layout.site();
    let built_from = site.with_extension("built-from");
    let what = || format!("Could not lock {}", layout.web().display());
    fs::create_dir_all(layout.local()).explain(what)?;
    // Two commands at once must not build into the same folder.
    let guard = File::create(layout.local().join("site.lock")).explain(what)?;
    guard.lock().explain(what)?;

    let fingerprint = files::fingerprint(&sources(layout)?)?;
    let is_built = fs::read_to_string(&built_from).is_ok_and(|text| text == fingerprint);
    if is_built && site.exists() {
        return Ok(());
    }
    let task = console.task("building the site");
    // A site that is half built isn't that of any sources.
    let _ = fs::remove_file(&built_from);
    install(&layout.web(), &layout.local().join("web-packages.log"))?;
    let mut npm = npm(&layout.web());
    npm.args(["run", "build"]);
    tool::run_logged("npm run build", &mut npm, &layout.local().join("site.log"))?;
    fs::write(&built_from, fingerprint)
        .explain(|| format!("Could not write {}", built_from.display()))?;
    task.done("built the site");
    Ok(())
}

/// What the site is made of.
fn sources(layout: &Layout) -> Outcome<Vec<PathBuf>> {
    let mut sources = files::under(&layout.web(), &["node_modules", "tests"])?;
    sources.push(layout.openapi());
    sources.extend(files::under(&layout.problems(), &[])?);
    sources.extend(files::under(&layout.state_machines(), &[])?);
    Ok(sources)
}

/// Puts the site beside those functions that carry it. Answers for how many of them it had changed.
pub(crate) fn place<'a>(
    layout: &Layout,
    packages: &Path,
    functions: impl Iterator<Item = &'a String>,
) -> Outcome<usize> {
    let site = layout.site();
    let mut placed = 0;
    for function in functions {
        let Some((_, only)) = CARRIERS.iter().find(|(carrier, _)| carrier == function) else {
            continue;
        };
        let wanted = match only {
            Some(file) => vec![site.join(file)],
            None => files::under(&site, &[])?,
        };
        let folder = packages.join(function).join("site");
        placed += usize::from(place_in(&site, &wanted, &folder)?);
    }
    Ok(placed)
}

/// Makes `folder` hold the `wanted` files of the site, and no others. Answers whether it didn't yet.
fn place_in(site: &Path, wanted: &[PathBuf], folder: &Path) -> Outcome<bool> {
    let mut pairs = Vec::new();
    for file in wanted {
        let path = file.strip_prefix(site);
        let path = path.explain(|| format!("{} is not of the site", file.display()))?;
        pairs.push((file, folder.join(path)));
    }
    if folder.exists() {
        let are_same = pairs
            .iter()
            .all(|(file, place)| files::is_same(file, place));
        if are_same && files::under(folder, &[])?.len() == pairs.len() {
            return Ok(false);
        }
        fs::remove_dir_all(folder).explain(|| format!("Could not remove {}", folder.display()))?;
    }
    for (file, place) in &pairs {
        files::link(file, place)?;
    }
    Ok(true)
}

/// Installs the packages of the npm project in `folder`, unless its lock file is still that of the last time.
pub(crate) fn install(folder: &Path, log: &Path) -> Outcome {
    let lock = folder.join("package-lock.json");
    let lock = fs::read(&lock).explain(|| format!("Could not read {}", lock.display()))?;
    let stamp = folder.join("node_modules").join(STAMP);
    if fs::read(&stamp).is_ok_and(|installed_for| installed_for == lock) {
        return Ok(());
    }
    let mut install = npm(folder);
    install.args(tools::NPM_CI);
    tool::run_logged("npm ci", &mut install, log)
        .map_err(|failure| failure.advice(tools::UNREACHABLE))?;
    // Without packages there is no folder either.
    let _ = fs::create_dir(folder.join("node_modules"));
    fs::write(&stamp, lock).explain(|| format!("Could not write {}", stamp.display()))
}

/// npm in the project of `folder`.
pub(crate) fn npm(folder: &Path) -> Command {
    let mut npm = Command::new("npm");
    npm.current_dir(folder).env("NO_UPDATE_NOTIFIER", "1");
    npm
}
