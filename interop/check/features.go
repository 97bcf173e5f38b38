package check

import (
	"fmt"
	"slices"

	"github.com/kkrpc-go/kkrpc"
)

// feature is a set of things that not every version of kkrpc, or not every codec, can do.
type feature uint

const (
	errorObjects       feature = 1 << iota // errors have a name and fields
	properties                             // get and set
	constructors                           // new
	webSocket                              // more connections, and raw ones, cost little
	missingIsUndefined                     // get of a missing leaf is no error
	causes                                 // an error's cause is an Error at the receiver
	richValues                             // SuperJSON
	plainJSON                              // rich values arrive as what JSON makes of them
	taggedBytes                            // a Uint8Array arrives as one
	compactFrames                          // one message is one frame
	classicLines                           // one message is one line
	streams                                // streams as results
	streamArguments                        // streams as arguments
	streamCredit                           // a producer waits for its consumer
	streamErrors                           // the error of a stream has a name and fields
	streamCleanup                          // the producers of a connection end with it
	references                             // remote references
)

// Peers are the versions of kkrpc whose differences the checks know.
var Peers = []string{"0.2.2", "0.7.0", "2.1.0"}

// Channel is a kind of channel. Since kkrpc 2 each kind can do something that the others cannot.
type Channel string

// The kinds of channel. Older versions have Base alone.
const (
	Base       Channel = "base"
	Streaming  Channel = "streaming"
	RemoteRefs Channel = "remote-refs"
	All        Channel = "all" // of this module, whose channels can do everything
)

var channelFeatures = map[Channel]feature{
	Base:       0,
	Streaming:  streams | streamArguments | streamCredit | streamCleanup,
	RemoteRefs: references,
	All:        streams | streamArguments | streamCredit | streamCleanup | references,
}

func featuresOf(c Config) (feature, error) {
	var can feature
	switch c.Peer {
	case "0.2.2":
	case "0.7.0":
		can = errorObjects | properties | constructors | streams | streamErrors
		if c.Channel == All {
			can |= streamCleanup // 0.7 itself lets them go on
		}
	case "2.1.0":
		of, ok := channelFeatures[c.Channel]
		if !ok {
			return 0, fmt.Errorf("unknown kind of channel %q; want base, streaming, remote-refs or all", c.Channel)
		}
		can = errorObjects | properties | constructors | missingIsUndefined | of
	default:
		return 0, fmt.Errorf("unknown peer version %q; want one of %q", c.Peer, Peers)
	}
	classic := []kkrpc.Dialect{kkrpc.Classic, kkrpc.ClassicSuperJSON}
	if slices.Contains(classic, c.Dialect) != (c.Peer != "2.1.0") {
		return 0, fmt.Errorf("kkrpc %s does not speak %s", c.Peer, c.Dialect)
	}
	switch c.Dialect {
	case kkrpc.Compact:
		can |= compactFrames | plainJSON
	case kkrpc.CompactSuperJSON:
		can |= compactFrames | richValues | taggedBytes
	case kkrpc.Classic:
		can |= classicLines | plainJSON | taggedBytes
	case kkrpc.ClassicSuperJSON:
		can |= classicLines | richValues | taggedBytes
	default:
		return 0, fmt.Errorf("the dialect has to be given")
	}
	if c.Peer == "0.7.0" && c.Dialect == kkrpc.ClassicSuperJSON {
		can |= causes
	}
	if c.Dial == nil {
		can |= webSocket
	}
	return can, nil
}
