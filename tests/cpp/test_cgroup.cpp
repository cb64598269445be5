// The least processor-time quota that holds for a control group is found, wherever the hierarchy is mounted.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "core/cgroup.hpp"
#include "expect.hpp"

using namespace foxnn;

namespace {

const std::filesystem::path root = std::filesystem::temp_directory_path() / "foxnn_test_cgroup";

// What cgroup_cores() says of a system with these files.
int cores_of(const std::map<std::string, std::string>& files) {
    std::filesystem::remove_all(root);
    for (const auto& [path, text] : files) {
        std::filesystem::create_directories((root / path).parent_path());
        std::ofstream(root / path) << text;
    }
    const int cores = cgroup_cores(root.string());
    std::filesystem::remove_all(root);
    return cores;
}

const std::string v2 = "31 24 0:27 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
const std::string v1 =
    "30 25 0:26 / /sys/fs/cgroup/cpuset rw shared:9 - cgroup cgroup rw,cpuset\n"
    "33 25 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:10 - cgroup cgroup rw,cpu,cpuacct\n";

void second_version() {
    const std::string files = "sys/fs/cgroup/";
    const auto with = [&](std::map<std::string, std::string> quotas, const std::string& path) {
        quotas["proc/self/mountinfo"] = v2;
        quotas["proc/self/cgroup"] = "0::" + path + "\n";
        return cores_of(quotas);
    };
    expect(with({}, "/") == kUnlimited, "no quota");
    expect(with({{files + "cpu.max", "max 100000\n"}}, "/") == kUnlimited, "a quota of max is none");
    expect(with({{files + "cpu.max", "200000 100000\n"}}, "/") == 2, "the quota of a container");
    expect(with({{files + "cpu.max", "250000 100000\n"}}, "/") == 3, "parts of cores are rounded up");
    expect(with({{files + "cpu.max", "1000 100000\n"}}, "/") == 1, "one core at least");
    expect(with({{files + "a/b.slice/cpu.max", "300000 100000\n"}}, "/a/b.slice") == 3, "the quota of its own group");
    expect(with({{files + "a/cpu.max", "200000 100000\n"}, {files + "a/b/cpu.max", "max 100000\n"}}, "/a/b") == 2,
           "the quota of a group above");
    expect(with({{files + "a/cpu.max", "200000 100000\n"}, {files + "a/b/cpu.max", "400000 100000\n"}}, "/a/b") == 2,
           "the least of several");
    expect(with({{files + "a/b/cpu.max", "100000 100000\n"}}, "/a") == kUnlimited, "not that of a group below");
    expect(with({{files + "cpu.max", "200000 100000\n"}}, "/../other") == 2, "a path outside the container's own root");
}

void first_version() {
    const std::string files = "sys/fs/cgroup/cpu,cpuacct/", groups = "9:cpuset:/x\n4:cpu,cpuacct:/docker/1f\n";
    const auto with = [&](std::map<std::string, std::string> quotas, const std::string& mounts) {
        quotas["proc/self/mountinfo"] = mounts;
        quotas["proc/self/cgroup"] = groups;
        return cores_of(quotas);
    };
    expect(with({}, v1) == kUnlimited, "no quota");
    expect(with({{files + "docker/1f/cpu.cfs_quota_us", "-1\n"}, {files + "docker/1f/cpu.cfs_period_us", "100000\n"}},
                v1) == kUnlimited,
           "a quota of -1 is none");
    expect(
        with({{files + "docker/1f/cpu.cfs_quota_us", "200000\n"}, {files + "docker/1f/cpu.cfs_period_us", "100000\n"}},
             v1) == 2,
        "the quota of its own group");
    expect(with({{files + "docker/cpu.cfs_quota_us", "50000\n"}, {files + "docker/cpu.cfs_period_us", "50000\n"}},
                v1) == 1,
           "the quota of a group above");
    const std::string inside = "33 25 0:29 /docker/1f /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n";
    expect(
        with({{"sys/fs/cgroup/cpu/cpu.cfs_quota_us", "200000\n"}, {"sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"}},
             inside) == 2,
        "in a container its own group is mounted, and its path is one of outside");
}

void both_versions() {
    expect(cores_of({{"proc/self/mountinfo", v1 + "40 25 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup rw\n"},
                     {"proc/self/cgroup", "4:cpu,cpuacct:/a\n0::/b\n"},
                     {"sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "300000\n"},
                     {"sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n"}}) == 3,
           "a system with both");
    expect(cores_of({}) == kUnlimited, "a system without any");
    expect(cores_of({{"proc/self/mountinfo", "x\n - \n1 2 3\n"}, {"proc/self/cgroup", "::\nx\n0\n"}}) == kUnlimited,
           "files that make no sense");
}

}  // namespace

int main() {
    second_version();
    first_version();
    both_versions();
    return exit_status();
}
