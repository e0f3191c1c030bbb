//! The binary as operators and scripts meet it: arguments, stdin and signals in; stdout, stderr and exit codes out.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should fail loudly"
)]

#[path = "cli/callbacks.rs"]
mod callbacks;
#[path = "cli/check_config.rs"]
mod check_config;
#[path = "cli/check_store.rs"]
mod check_store;
#[path = "cli/copy.rs"]
mod copy;
#[path = "cli/debits.rs"]
mod debits;
#[path = "cli/keys.rs"]
mod keys;
#[path = "cli/serve.rs"]
mod serve;
#[path = "cli/shared.rs"]
mod shared;
#[path = "cli/signatures.rs"]
mod signatures;

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// The binary, with nothing of this process's environment that it would read.
fn guichet() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_guichet"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GUICHET") {
            command.env_remove(name);
        }
    }
    command
}

/// What a run said: exit code, stdout, stderr.
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

fn run<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>, input: &[u8]) -> Said {
    let mut command = guichet();
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that reads nothing may have closed it already.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap().into()
}

/// An empty folder of this test's own.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn project(file: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file).display().to_string()
}

/// Writes a file that only its owner may read.
fn write_secret(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(path, mode).unwrap();
}

/// A configuration of test mode in `folder`, on free ports, with keys of its own; returns its path.
fn test_config(folder: &Path) -> PathBuf {
    write_secret(&folder.join("hmac.key"), &"ab".repeat(64));
    write_secret(&folder.join("sealing.keys"), &format!("a:{}", "cd".repeat(32)));
    let key = fs::read_to_string(project("keys-example/paybox-public.pem")).unwrap();
    fs::write(folder.join("paybox.pem"), key).unwrap();
    let path = folder.join("guichet.toml");
    fs::write(&path, TEST_CONFIG).unwrap();
    path
}

const TEST_CONFIG: &str = r#"
mode = "test"

[server]
listen = "127.0.0.1:0"
ops_listen = "127.0.0.1:0"
look_again = "20ms"
shutdown_grace = "5s"

[secrets]
sealing_keys_file = "sealing.keys"

[[platform]]
id = "sandbox"
page = "http://127.0.0.1:9/php/"
direct = "https://127.0.0.1:9/PPPS.php"
public_key_files = ["paybox.pem"]

[[merchant]]
id = "ecole"
name = "École"
platform = "sandbox"
site = "1234567"
rang = "01"
identifiant = "1"
hmac_key_file = "hmac.key"
reference_prefix = "EC"
return_origins = ["http://127.0.0.1:4000"]
"#;

#[test]
fn usage_is_2_and_help_is_0() {
    for (arguments, code) in [
        (vec![], 2),
        (vec!["pay"], 2),
        (vec!["serve", "--port", "80"], 2),
        (vec!["serve"], 2),
        (vec!["check-config"], 2),
        (vec!["keys", "new", "--scope", "portal"], 2),
        (vec!["keys", "new", "--scope", "root", "--merchant", "ecole", "--name", "x"], 2),
        (vec!["--help"], 0),
        (vec!["callbacks", "list"], 2),
        (vec!["callbacks", "list", "--merchant", "École"], 2),
        (vec!["paybox", "verify", "--help"], 0),
    ] {
        let said = run(&arguments, b"");
        assert_eq!(said.code, Some(code), "{arguments:?}: {}", said.err);
        assert_eq!(said.out.is_empty(), code == 2, "{arguments:?}");
    }
}

#[test]
fn a_bad_configuration_is_78_where_one_is_needed() {
    let missing = folder("no-config").join("none.toml").display().to_string();
    for arguments in [
        vec!["serve", "--config", &missing],
        vec!["keys", "list", "--config", &missing],
        vec!["keys", "revoke", "--config", &missing, "abc"],
        vec!["callbacks", "list", "--config", &missing, "--merchant=ecole"],
    ] {
        let said = run(&arguments, b"");
        assert_eq!((said.code, said.out.as_str()), (Some(78), ""), "{arguments:?}");
        assert!(said.err.contains("none.toml cannot be read"), "{}", said.err);
    }
}
