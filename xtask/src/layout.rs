//! Where things lie in the repository. Knows no contents.

use std::path::{Path, PathBuf};

/// The repository and the folders that the commands share.
#[derive(Clone)]
pub(crate) struct Layout {
    root: PathBuf,
}

impl Layout {
    /// The repository that this program was built from.
    pub(crate) fn of_this_repository() -> Self {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        Self {
            root: package.parent().unwrap_or(package).to_owned(),
        }
    }

    /// The repository itself.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Everything that the commands leave behind and that is not a build product. Ignored by git.
    pub(crate) fn local(&self) -> PathBuf {
        self.root.join(".local")
    }

    /// The tools that are installed for this repository alone.
    pub(crate) fn tools(&self) -> PathBuf {
        self.local().join("tools")
    }

    /// The launchers of the local stack, and the lock files of the tools.
    pub(crate) fn local_infra(&self) -> PathBuf {
        self.root.join("infra/local")
    }

    /// The HTTP API's document.
    pub(crate) fn openapi(&self) -> PathBuf {
        self.root.join("infra/openapi.yaml")
    }

    /// The domain events' document.
    pub(crate) fn asyncapi(&self) -> PathBuf {
        self.root.join("infra/asyncapi.yaml")
    }

    /// How the API is tested against its document.
    pub(crate) fn contract(&self) -> PathBuf {
        self.root.join("infra/contract")
    }

    /// What is to know about each type of problem: `<name>.md`.
    pub(crate) fn problems(&self) -> PathBuf {
        self.root.join("docs/problems")
    }

    /// The sources of the site.
    pub(crate) fn web(&self) -> PathBuf {
        self.root.join("web")
    }

    /// The site as it was built.
    pub(crate) fn site(&self) -> PathBuf {
        self.root.join("target/site")
    }

    /// The client for TypeScript.
    pub(crate) fn typescript_client(&self) -> PathBuf {
        self.root.join("clients/typescript")
    }

    /// The template of the stack.
    pub(crate) fn template(&self) -> PathBuf {
        self.root.join("infra/template.yaml")
    }

    /// The state machines, `<name>.asl.json`.
    pub(crate) fn state_machines(&self) -> PathBuf {
        self.root.join("statemachines")
    }

    /// The program that measures, and what it measures beside the functions.
    pub(crate) fn bench(&self) -> PathBuf {
        self.root.join("bench")
    }

    /// What measuring leaves behind.
    pub(crate) fn measured(&self) -> PathBuf {
        self.root.join("target/bench")
    }

    /// Where the template looks for the functions: `<binary>/bootstrap`.
    pub(crate) fn packages(&self) -> PathBuf {
        self.root.join("target/lambda")
    }
}
