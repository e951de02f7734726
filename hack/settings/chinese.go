package main

import "github.com/hanse-io/hanse/ledger"

var chinese = language{
	header: []string{"`spec` 的字段", "默认值", "修改", "代价"},
	effects: map[ledger.Effect]string{
		ledger.EffectLive: "立即生效", ledger.EffectRestart: "重启节点", ledger.EffectGrow: "只能增大",
		ledger.EffectAdded: "仅对新节点", ledger.EffectFixed: "被拒绝",
	},
	also: "以及 `members[].%s`", says: " 拒绝时的提示：“%s”",
	costs: map[string]string{
		"A consortium runs on the ledger that it began with.":                                                                            "联盟一直使用创建时的账本。",
		"Who takes part is decided by the members' own consent.":                                                                         "由谁参加取决于各成员自己的同意。",
		"The Leader has made the channels' first blocks.":                                                                                "通道的创世区块由 Leader 生成。",
		"Each channel's consenters are written into its configuration.":                                                                  "每个通道的共识节点写在通道的配置里。",
		"A volume stays in the StorageClass that it was made in.":                                                                        "卷一直属于创建它时的 StorageClass。",
		"The state would have to be built anew from the blocks.":                                                                         "否则状态必须由区块重新生成。",
		"It counts for the change that is under way, too.":                                                                               "对正在进行的修改同样有效。",
		"It only lets images of that line be declared.":                                                                                  "它只允许声明该版本线的镜像。",
		"They are in each channel's first block.":                                                                                        "它们写在每个通道的创世区块里。",
		"As of peerImage, for peers with CouchDB, which restarts with its peer.":                                                         "与 peerImage 相同，用于使用 CouchDB 的 peer；CouchDB 随其 peer 一起重启。",
		"As of resources: one node after the other, over all members. Before the first, every member in contact has to allow the image.": "与资源相同：在所有成员之间逐个节点进行。开始之前，每个在线的成员都必须允许该镜像。",
		"New peers join the channels and fetch their ledgers. The member's other peers restart, one after the other, since they are to keep apart from the new ones.":                                                                                 "新的 peer 加入通道并获取账本。该成员的其他 peer 逐个重启，因为它们要与新的 peer 分开调度。",
		"The claims are enlarged in place; no node restarts. Where the StorageClass does not allow it the node runs on as it is, with VolumeNotExpandable, until the class does or the old size is declared again.":                                   "PersistentVolumeClaim 就地扩容，节点不重启。如果 StorageClass 不允许扩容，节点照常运行并报告 VolumeNotExpandable，直到 StorageClass 允许，或者重新声明原来的大小。",
		"Retain holds for running nodes too, at once and without a restart; Delete for new ones only, so that no change of a plan gives up a ledger.":                                                                                                 "Retain 对运行中的节点也立即生效，无需重启；Delete 只对新节点有效，因此任何计划的修改都不会放弃账本。",
		"The nodes' TLS certificates are issued again, with the same keys. Each member's nodes restart one after the other; members do not wait for each other, so change one member's after another's where a majority of the orderers has to stay.": "节点的 TLS 证书用原来的密钥重新签发。每个成员的节点逐个重启；成员之间互不等待，因此在必须保持多数 orderer 的地方，请逐个成员修改。",
		"One node after the other restarts, over all members, each once the one before is ready; a majority of the orderers stays. A node that does not become ready in time goes back to what it had, and the others keep it.":                       "在所有成员之间逐个节点重启，前一个就绪之后才轮到下一个；多数 orderer 始终可用。没有按时就绪的节点恢复原来的设置，其他节点保持不变。",
	},
}
