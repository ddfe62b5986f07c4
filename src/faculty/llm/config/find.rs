//! Where the configuration file is: named by the user, beside the plan, in a folder above, or in the user's own folder.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::problem::ConfigProblem;
use super::settings::Config;

const NAME: &str = "normc.toml";

/// No configuration is longer.
const LIMIT: u64 = 1 << 20;

impl Config {
    /// The configuration file of a run, none when there is none: `explicit` (`--config`), `NORMC_CONFIG`, `normc.toml`
    /// in the base directory or a folder above it up to the one that holds `.git`, then
    /// `$XDG_CONFIG_HOME/normc/normc.toml`.
    ///
    /// # Errors
    /// A file that the user names and that is not there; one that was found and that somebody else could have put
    /// there.
    pub fn find(
        base_dir: &Path,
        explicit: Option<&Path>,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<PathBuf>, ConfigProblem> {
        let named = |name: &str| env(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let chosen = explicit.map(Path::to_path_buf).or_else(|| named("NORMC_CONFIG"));
        if let Some(path) = chosen {
            if path.is_file() {
                return Ok(Some(path));
            }
            let said_by = if explicit.is_some() { "--config" } else { "NORMC_CONFIG" };
            let shown = path.display().to_string();
            return Err(ConfigProblem::new(
                shown,
                format!("the configuration that {said_by} names is no file"),
            )
            .with_help("name a `normc.toml`"));
        }
        // A folder that cannot be resolved has no folders above it to look into.
        let base = base_dir.canonicalize().unwrap_or_else(|_| base_dir.to_path_buf());
        for folder in base.ancestors() {
            let path = folder.join(NAME);
            if path.is_file() {
                trusted(&path)?;
                return Ok(Some(path));
            }
            if folder.join(".git").exists() {
                break;
            }
        }
        let own = named("XDG_CONFIG_HOME")
            .filter(|path| path.is_absolute())
            .or_else(|| named("HOME").map(|home| home.join(".config")));
        Ok(own.map(|folder| folder.join("normc").join(NAME)).filter(|path| path.is_file()))
    }

    /// Reads a configuration file.
    ///
    /// # Errors
    /// A file that cannot be read or is no UTF-8 text of at most 1 MiB, and all of [`Config::parse`].
    pub fn load(path: &Path) -> Result<Self, Vec<ConfigProblem>> {
        let shown = path.display().to_string();
        let one = |message: String| vec![ConfigProblem::new(shown.clone(), message)];
        let mut bytes = Vec::new();
        File::open(path)
            .and_then(|file| file.take(LIMIT + 1).read_to_end(&mut bytes))
            .map_err(|error| one(format!("the configuration cannot be read: {error}")))?;
        if bytes.len() as u64 > LIMIT {
            return Err(one("the configuration is longer than 1 MiB".to_owned()));
        }
        let text =
            String::from_utf8(bytes).map_err(|_| one("the configuration is no UTF-8 text".to_owned()))?;
        Self::parse(&text, &shown)
    }

    /// Finds and reads the configuration and fills it in from the environment; with no file, what the environment says.
    ///
    /// # Errors
    /// All of [`Config::find`], [`Config::load`] and [`Config::with_environment`].
    pub fn discover(
        base_dir: &Path,
        explicit: Option<&Path>,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Vec<ConfigProblem>> {
        let config = match Self::find(base_dir, explicit, env).map_err(|problem| vec![problem])? {
            Some(path) => Self::load(&path)?,
            None => Self::default(),
        };
        config.with_environment(env)
    }
}

/// A configuration says where prompts and keys go, so one that was merely found must be the user's own.
fn trusted(path: &Path) -> Result<(), ConfigProblem> {
    let problem = |message: &str| {
        Err(ConfigProblem::new(path.display().to_string(), message)
            .with_help("if you trust it, name it: --config or NORMC_CONFIG"))
    };
    let Ok(about) = path.metadata() else {
        return Ok(());
    };
    let own = rustix::process::geteuid().as_raw();
    if about.uid() != own && about.uid() != 0 {
        return problem("the configuration belongs to another user");
    }
    if about.mode() & 0o002 != 0 {
        return problem("everybody may write the configuration");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_nearest_file_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let (inner, own) = (root.join("repository/plans"), root.join("home/.config/normc"));
        fs::create_dir_all(&inner).unwrap();
        fs::create_dir_all(&own).unwrap();
        let home = root.join("home").display().to_string();
        let find = |env: &[(&str, &str)]| {
            let env = |name: &str| {
                let given = env.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
                given.or_else(|| Some(home.clone()).filter(|_| name == "HOME"))
            };
            Config::find(&inner, None, &env)
        };
        let write = |path: PathBuf| {
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
            path
        };
        assert_eq!(find(&[]), Ok(None));
        let users = write(own.join(NAME));
        assert_eq!(find(&[]), Ok(Some(users)));
        let above = write(root.join(NAME));
        assert_eq!(find(&[]), Ok(Some(above.clone())));
        fs::create_dir(root.join("repository/.git")).unwrap();
        assert_ne!(find(&[]), Ok(Some(above.clone())), "the repository ends the search");
        let beside = write(inner.join(NAME));
        assert_eq!(find(&[]), Ok(Some(beside.clone())));
        assert_eq!(find(&[("NORMC_CONFIG", &above.display().to_string())]), Ok(Some(above.clone())));
        assert!(find(&[("NORMC_CONFIG", "nowhere.toml")]).unwrap_err().message.contains("NORMC_CONFIG"));
        fs::set_permissions(&beside, fs::Permissions::from_mode(0o666)).unwrap();
        assert!(find(&[]).unwrap_err().message.contains("everybody may write"));
        assert_eq!(Config::find(&inner, Some(&beside), &|_| None), Ok(Some(beside)));
    }
}
