//! The files that were built for readers of the API: its reference, its description, the pages about
//! problems. They lie beside the function's binary. Knows their names, and not what they say.

use std::{fs, io, path::PathBuf};

/// More than any of the files' names, and less than what a file system takes.
const LONGEST_NAME: usize = 100;

/// The folder of those files.
#[derive(Debug)]
pub struct Site {
    folder: PathBuf,
}

impl Site {
    /// The files in `folder`.
    #[must_use]
    pub const fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The file at `path` of the folder. Nothing outside of the folder: every part of the path must be a plain
    /// file name of at most 100 characters that doesn't begin with a dot.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] for what isn't there, and whatever else may happen.
    pub fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let is_plain = |name: &str| {
            let usual = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            (1..=LONGEST_NAME).contains(&name.len())
                && !name.starts_with('.')
                && name.bytes().all(usual)
        };
        if path.split('/').all(is_plain) {
            fs::read(self.folder.join(path))
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    }
}

/// The media type of a file, from what its name ends with.
#[must_use]
pub fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn no_path_leads_out_of_the_folder() {
        let here = Site::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
        assert!(here.read("site.rs").is_ok());
        assert!(here.read("bin/serve-docs.rs").is_ok());
        for bad in [
            "",
            "../Cargo.toml",
            "bin/../site.rs",
            "/etc/passwd",
            "bin//serve-docs.rs",
            ".",
            "..",
            "bin\\serve-docs.rs",
            "site.rs\0",
            "absent",
            &"a".repeat(LONGEST_NAME + 1),
            &"a".repeat(300),
        ] {
            let kind = here.read(bad).unwrap_err().kind();
            assert_eq!(kind, io::ErrorKind::NotFound, "{bad:?}");
        }
    }
}
