//! Files that are put in place by a link, and texts that tell when files have changed. Knows no contents.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::failure::{Explain, Outcome};

/// All files under `folder`, at any depth and in order, but for what is in folders called as one of `but`.
pub(crate) fn under(folder: &Path, but: &[&str]) -> Outcome<Vec<PathBuf>> {
    let what = || format!("Could not read {}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).explain(what)? {
        let entry = entry.explain(what)?;
        let is_folder = entry.file_type().explain(what)?.is_dir();
        if !is_folder {
            files.push(entry.path());
        } else if !but.contains(&entry.file_name().to_string_lossy().as_ref()) {
            files.extend(under(&entry.path(), but)?);
        }
    }
    files.sort();
    Ok(files)
}

/// A text that changes when one of `files` is written.
pub(crate) fn fingerprint(files: &[PathBuf]) -> Outcome<String> {
    let mut text = String::new();
    for file in files {
        let about = fs::metadata(file).explain(|| format!("Could not read {}", file.display()))?;
        let (length, modified) = (about.len(), (about.mtime(), about.mtime_nsec()));
        let _ = writeln!(text, "{} {length} {modified:?}", file.display());
    }
    Ok(text)
}

/// Puts `file` at `place`, in the place of whatever is there.
pub(crate) fn link(file: &Path, place: &Path) -> Outcome {
    if let Some(folder) = place.parent() {
        fs::create_dir_all(folder).explain(|| format!("Could not create {}", folder.display()))?;
    }
    let _ = fs::remove_file(place);
    // A link costs nothing. Across file systems there is none, so copy.
    fs::hard_link(file, place)
        .or_else(|_| fs::copy(file, place).map(drop))
        .explain(|| format!("Could not write {}", place.display()))
}

/// Whether one is a link to the other, or a copy made after it was last written.
pub(crate) fn is_same(file: &Path, place: &Path) -> bool {
    let (Ok(ours), Ok(theirs)) = (fs::metadata(file), fs::metadata(place)) else {
        return false;
    };
    let linked = ours.dev() == theirs.dev() && ours.ino() == theirs.ino();
    let copied =
        ours.dev() != theirs.dev() && ours.len() == theirs.len() && ours.mtime() <= theirs.mtime();
    linked || copied
}
