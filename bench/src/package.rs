//! What of a program is uploaded, and how large that is.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use flate2::{Compression, write::DeflateEncoder};

use crate::failure::Failure;

/// What a ZIP archive spends on an entry, besides the data and twice the name: two headers.
const ENTRY: u64 = 30 + 46;

/// What a ZIP archive ends with.
const END: u64 = 22;

/// The size in bytes of a ZIP archive of all files in `folder`, or of the one file that it is.
pub(crate) fn zipped_size(folder: &Path) -> Result<u64, Failure> {
    let mut size = END;
    for file in files(folder)? {
        let name = file.strip_prefix(folder).unwrap_or(&file);
        let name = u64::try_from(name.as_os_str().len()).unwrap_or_default();
        size += ENTRY + 2 * name + deflated_size(&file)?;
    }
    Ok(size)
}

fn deflated_size(file: &Path) -> Result<u64, Failure> {
    let what = || Failure::machine(format!("read {}", file.display()));
    let bytes = fs::read(file).map_err(what())?;
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&bytes).map_err(what())?;
    let deflated = encoder.finish().map_err(what())?;
    Ok(u64::try_from(deflated.len()).unwrap_or(u64::MAX))
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    if folder.is_file() {
        return Ok(vec![folder.to_owned()]);
    }
    let what = || Failure::machine(format!("read {}", folder.display()));
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(what())? {
        let path = entry.map_err(what())?.path();
        found.extend(files(&path)?);
    }
    Ok(found)
}
