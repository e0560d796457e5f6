//! Where the files of the project are, seen from this package.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

/// The root folder of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the package lies in the workspace")
        .to_owned()
}

/// The text of a file of the project.
pub fn text(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}

/// A JSON file of the project.
pub fn json(path: impl AsRef<Path>) -> Value {
    let path = path.as_ref();
    serde_json::from_str(&text(path))
        .unwrap_or_else(|error| panic!("{} is not JSON: {error}", path.display()))
}

/// The files directly in a folder that end in `.extension`, in order; none when there is no folder.
pub fn files(folder: impl AsRef<Path>, extension: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(root().join(folder)) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.is_file() && path.extension().is_some_and(|found| found == extension))
        .collect();
    files.sort();
    files
}

/// The files anywhere under a folder that end in `.extension`, in order.
pub fn files_below(folder: impl AsRef<Path>, extension: &str) -> Vec<PathBuf> {
    let folder = root().join(folder);
    let mut found = files(&folder, extension);
    for inner in folders(&folder) {
        found.extend(files_below(inner, extension));
    }
    found
}

/// The folders directly in a folder, in order; none when there is no folder.
pub fn folders(folder: impl AsRef<Path>) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(root().join(folder)) else {
        return Vec::new();
    };
    let mut folders: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

/// The file's name without its ending.
pub fn stem(path: &Path) -> String {
    path.file_stem()
        .expect("a file has a name")
        .to_string_lossy()
        .into_owned()
}
