"""Print `package=version` of the smallest package that the release holds in a version which security has replaced.

Only packages whose dependencies are installed are looked at, so that installing it brings nothing else.
"""

import apt


def versions_replaced_by_security() -> list[tuple[int, str]]:
    """Installed size in bytes and `package=version` of each such package."""
    cache = apt.Cache()
    found = []
    for package in cache:
        new = package.candidate
        if package.is_installed or new is None or all(origin.label != "Debian-Security" for origin in new.origins):
            continue
        for old in package.versions:
            needs = [
                dependency.name for group in old.get_dependencies("Depends", "PreDepends") for dependency in group[:1]
            ]
            if old != new and all(name in cache and cache[name].is_installed for name in needs):
                found.append((old.installed_size, f"{package.name}={old.version}"))
    return found


if __name__ == "__main__":
    print(min(versions_replaced_by_security())[1])
