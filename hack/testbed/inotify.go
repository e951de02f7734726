package testbed

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

const (
	inotifySetting = "/proc/sys/fs/inotify/max_user_instances"
	// inotifyInstances is enough for some ten clusters; a cluster takes about 30. Linux starts with 128, with which the
	// second testbed's kubelets end with "inotify_init: too many open files".
	inotifyInstances = 1024
)

// allowInotify raises the machine's limit on inotify instances if it is too low for more than one testbed. The setting is
// the machine's, lasts until it is started again, and is left raised.
func allowInotify(setting string, say func(format string, args ...any)) error {
	text, err := os.ReadFile(setting)
	if err != nil {
		return fmt.Errorf("read the limit on inotify instances: %w", err)
	}
	limit, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return fmt.Errorf("%s says %q: %w", setting, text, err)
	}
	if limit >= inotifyInstances {
		return nil
	}
	if err := os.WriteFile(setting, []byte(strconv.Itoa(inotifyInstances)), 0o600); err != nil {
		return fmt.Errorf("kubelets need more inotify instances than %d, and the limit cannot be raised: %w: run sysctl -w fs.inotify.max_user_instances=%d", limit, err, inotifyInstances)
	}
	say("fs.inotify.max_user_instances raised from %d to %d", limit, inotifyInstances)
	return nil
}
