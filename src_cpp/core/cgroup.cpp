#include "core/cgroup.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>

namespace foxnn {
namespace {

// Whether a list such as "cpu,cpuacct" has that word.
bool lists(const std::string& list, const std::string& word) {
    return ("," + list + ",").find("," + word + ",") != std::string::npos;
}

// The path of the process's group in the hierarchy that limits processor time: version 2's has the number 0 and no
// names. A line is "number:names:path".
std::string group_path(const std::string& root, bool second) {
    std::ifstream file(root + "/proc/self/cgroup");
    for (std::string line; std::getline(file, line);) {
        const auto names = line.find(':'), path = line.find(':', names + 1);
        if (path == std::string::npos) continue;
        const std::string listed = line.substr(names + 1, path - names - 1);
        if (second ? line.substr(0, names) == "0" && listed.empty() : lists(listed, "cpu"))
            return line.substr(path + 1);
    }
    return "";
}

double quota_of(const std::string& folder, bool second) {
    std::string quota, period;
    if (second) {
        std::ifstream(folder + "/cpu.max") >> quota >> period;
    } else {
        std::ifstream(folder + "/cpu.cfs_quota_us") >> quota;
        std::ifstream(folder + "/cpu.cfs_period_us") >> period;
    }
    const double q = std::atof(quota.c_str()), p = std::atof(period.c_str());  // "max" and "-1" are no quota
    return q > 0 && p > 0 ? q / p : std::numeric_limits<double>::infinity();
}

// Of the group's folder and those above it, up to where the hierarchy is mounted.
double least_quota(const std::string& mounted, std::string path, bool second) {
    double least = quota_of(mounted, second);
    for (; !path.empty(); path.erase(path.rfind('/'))) least = std::min(least, quota_of(mounted + path, second));
    return least;
}

}  // namespace

int cgroup_cores(const std::string& root) {
    double least = std::numeric_limits<double>::infinity();
    // A line is "id parent device root mount-point options ... - type source options-of-the-file-system". What is
    // mounted may itself be a group: in a container often its own, whose path inside begins there.
    std::ifstream mounts(root + "/proc/self/mountinfo");
    for (std::string line; std::getline(mounts, line);) {
        const auto dash = line.find(" - ");
        if (dash == std::string::npos) continue;
        std::string skipped, top, mounted, type, source, options;
        std::istringstream(line) >> skipped >> skipped >> skipped >> top >> mounted;
        std::istringstream(line.substr(dash + 3)) >> type >> source >> options;
        const bool second = type == "cgroup2";
        if (!second && !(type == "cgroup" && lists(options, "cpu"))) continue;
        std::string path = group_path(root, second);
        if (top == "/") top.clear();
        const bool below =
            path.compare(0, top.size(), top) == 0 && (path.size() == top.size() || path[top.size()] == '/');
        path = below ? path.substr(top.size()) : "";
        if (path.empty() || path[0] != '/' || path == "/") path.clear();
        least = std::min(least, least_quota(root + mounted, path, second));
    }
    return least < kUnlimited ? std::max(1, static_cast<int>(std::ceil(least))) : kUnlimited;
}

}  // namespace foxnn
