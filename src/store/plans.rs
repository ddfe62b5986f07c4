//! The plans and settings of a run as files, named by the hash of what they say. A long one is packed: plans repeat
//! themselves, and a run should not take more space for its plan than for what it did. Knows nothing of what they say.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process;

use super::disk::{Disk, DiskFile};
use super::error::StoreError;
use super::objects::{TEMPORARY, holds, read_checked, read_whole, write_new};
use crate::base::Digest;

/// A plan with more bytes than this is packed.
const LARGEST_PLAIN: usize = 64 << 10;
/// No plan is larger than this (durability spec, section 8, S6).
const LONGEST: u64 = 1 << 30;

fn plain(plans: &Path, digest: &Digest) -> PathBuf {
    plans.join(format!("{digest}.json"))
}

/// A frame of the LZ4 format, which the program `lz4` unpacks too.
fn packed(plans: &Path, digest: &Digest) -> PathBuf {
    plans.join(format!("{digest}.json.lz4"))
}

/// The hash a plan's file is named by, none for other files.
pub(super) fn digest_of(name: &str) -> Option<Digest> {
    name.strip_suffix(".lz4").unwrap_or(name).strip_suffix(".json")?.parse().ok()
}

/// Keeps a plan under its hash, safe from a loss of power when this returns.
pub(super) fn put(disk: &dyn Disk, plans: &Path, bytes: &[u8]) -> Result<Digest, StoreError> {
    let digest = Digest::of(bytes);
    let (path, there) = if bytes.len() > LARGEST_PLAIN {
        let path = packed(plans, &digest);
        let there = disk.info(&path).is_ok() && get(disk, plans, &digest).is_ok();
        (path, there)
    } else {
        let path = plain(plans, &digest);
        let there = holds(disk, &path, &digest);
        (path, there)
    };
    let file = if there {
        disk.open_read(&path).map_err(|e| StoreError::io("read", &path, e))?
    } else {
        write(disk, plans, &path, bytes)?
    };
    file.sync_all().and_then(|()| disk.sync_dir(plans)).map_err(|e| StoreError::io("sync", &path, e))?;
    Ok(digest)
}

fn write(disk: &dyn Disk, plans: &Path, path: &Path, bytes: &[u8]) -> Result<Box<dyn DiskFile>, StoreError> {
    let temporary = plans.join(format!("{TEMPORARY}{}", process::id()));
    if bytes.len() <= LARGEST_PLAIN {
        return write_new(disk, &temporary, path, bytes);
    }
    let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
    let packed = encoder.write_all(bytes).and_then(|()| encoder.finish().map_err(std::io::Error::other));
    write_new(disk, &temporary, path, &packed.map_err(|e| StoreError::io("pack", path, e))?)
}

/// Reads a plan and checks that it is what its name says.
pub(super) fn get(disk: &dyn Disk, plans: &Path, digest: &Digest) -> Result<Vec<u8>, StoreError> {
    let path = packed(plans, digest);
    if disk.info(&path).is_err() {
        return read_checked(disk, &plain(plans, digest), digest);
    }
    let bytes = read_whole(disk, &path)?;
    let mut plan = Vec::new();
    let unpacked = lz4_flex::frame::FrameDecoder::new(&*bytes).take(LONGEST).read_to_end(&mut plan);
    if unpacked.is_err() || Digest::of(&plan) != *digest {
        return Err(StoreError::damaged(&path, "what it unpacks to is not what its name is the hash of"));
    }
    Ok(plan)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::SimDisk;

    #[test]
    fn a_long_plan_is_packed_and_checked() {
        let disk = SimDisk::new();
        let plans = Path::new("/plan");
        disk.make_dir(plans).unwrap();
        let short = b"{}".repeat(10);
        let long = b"{\"concept\": \"{total}\"}, ".repeat(10_000);
        for plan in [&short, &long] {
            let digest = put(&disk, plans, plan).unwrap();
            assert_eq!(put(&disk, plans, plan).unwrap(), digest, "a second time changes nothing");
            assert_eq!(get(&disk, plans, &digest).unwrap(), *plan);
            let names = [plain(plans, &digest), packed(plans, &digest)];
            let there: Vec<bool> = names.iter().map(|path| disk.info(path).is_ok()).collect();
            assert_eq!(there, [plan.len() < 100, plan.len() > 100]);
            for path in names.iter().filter(|path| disk.info(path).is_ok()) {
                let len = disk.contents(path).unwrap().len();
                assert!(len < 20_000, "{len}");
                assert_eq!(digest_of(&path.file_name().unwrap().to_string_lossy()), Some(digest));
                for at in (0..len).step_by(1 + len / 50) {
                    disk.damage(path, |bytes| bytes[at] ^= 0x20);
                    assert!(get(&disk, plans, &digest).is_err(), "byte {at}");
                    disk.damage(path, |bytes| bytes[at] ^= 0x20);
                }
                disk.damage(path, |bytes| bytes.truncate(len / 2));
                assert!(get(&disk, plans, &digest).is_err());
            }
            assert_eq!(put(&disk, plans, plan).unwrap(), digest, "what is damaged is written again");
            assert_eq!(get(&disk, plans, &digest).unwrap(), *plan);
        }
    }
}
