/* BOA of ETAS, emulated: both of its libraries in one file.
 *
 * Compiled with OLD=1 it lacks the functions that came with versions 1.3 and 1.4 of the API. Hooks: minor (the
 * newest minor version, 4), adapt (opening changes the samples per bit), adapt_rate (and the bit rate), depth (elements of a receive queue),
 * max_filters, tx_full (the transmit queue stays full), fd (controllers have CAN FD), long_capabilities,
 * frequency (ticks of the timer per second).
 *
 * A function that closes something and is told to fail fails after it has done so.
 *
 * Injected records of kind 3 are bus events and set the state, of kind 4 overflows of the queue, of kind 5
 * internal errors, of kind 7 timer events; their code is that of the event.
 */
#include "stub.h"

/* --- structures, with the offsets of the vendor's header ------------------------------------------------- */

typedef struct { uint8_t data[16]; } Uuid;
typedef struct { uint8_t major, minor, bugfix, build; } Version;
typedef struct { Uuid uuid; Version version; } UuidVersion;
typedef struct { UuidVersion api, access; } ServiceId;
typedef struct { ServiceId id; uint32_t count; uint8_t access_param[128]; } ServiceIdParam;
typedef struct { uint32_t min, max; } NodeRange;
typedef struct {
    ServiceIdParam server;
    uint32_t node_type;
    char uri_name[128];
    uint8_t visible_name[4];
    Version version;
    uint8_t reserved2[88];
    Uuid server_affinity, required_affinity0;
    int32_t reserved[4];
    Uuid required_affinity1;
    int32_t count;
    ServiceId required_api[4];
} SubItem;
typedef struct Tree {
    SubItem item;
    struct Tree *sibling, *child;
    int32_t children_probed;
} Tree;
typedef struct {
    char local_clock_id[40];
    uint32_t format, tick_frequency, ticks_per_increment, local_stratum_level, local_reference_scale;
    char local_time_origin[40];
    uint32_t sync_slave, sync_master;
} TimerCapabilities;
typedef struct {
    uint32_t data_bit_rate, data_sample_point, data_btl_cycles, data_sjw, flags, secondary_sample_point_offset;
    uint32_t can_rx_mode, fd_rx_mode, fd_tx_config;
    uint16_t secondary_sample_point_filter_window, reserved;
} FdConfiguration;
typedef struct {
    uint32_t baudrate, sample_point, samples_per_bit, btl_cycles, sjw, sync_edge, physical_media;
    uint32_t self_reception_mode, bus_participation_mode, fd_enabled;
    FdConfiguration fd;
    uint32_t tx_policy;
} Configuration;
typedef struct { uint32_t mode; } Properties;
typedef struct {
    uint32_t samples_per_bit, sync_edge, physical_media, reserved, bus_events, error_frames, message_flags, fd_support;
    uint32_t fd_max_data_size, fd_max_qualified_data_rate, fd_max_data_rate, can_rx_mode, fd_rx_mode, fd_tx_mode;
    uint32_t bus_participation_mode, tx_policies;
} Capabilities;
typedef struct { uint32_t reserved, state_code; } ControllerStatus;
typedef struct { uint32_t id_value, id_mask, tag; } RxFilter;
typedef struct { uint32_t id_value, id_mask, tag; uint16_t flags_value, flags_mask; } RxFilterEx;
typedef struct { uint32_t kinds, tag, destination; } EventFilter;
typedef struct {
    int64_t timestamp;
    uint32_t tag, frame_id;
    uint16_t flags;
    uint8_t res, dlc, res1[4], data[8];
} RxMessage;
typedef struct { uint32_t frame_id; uint16_t flags; uint8_t res, dlc, data[8]; } TxMessage;
typedef struct {
    int64_t timestamp;
    uint32_t tag, frame_id;
    uint16_t flags;
    uint8_t res, size, res1[4], data[64];
} FdRxMessage;
typedef struct { uint32_t frame_id; uint16_t flags; uint8_t res, size, data[64]; } FdTxMessage;
typedef struct {
    int64_t timestamp;
    uint32_t tag, frame_id;
    uint16_t flags;
    uint8_t res, dlc;
    uint32_t type, destination;
} ErrorFrameMessage;
typedef struct { int64_t timestamp; uint32_t tag, event_code, destination; } EventMessage;
typedef struct { int64_t timestamp; uint32_t tag, event_code, error_code; } InternalErrorMessage;
typedef union {
    RxMessage rx;
    TxMessage tx;
    ErrorFrameMessage error_frame;
    EventMessage event;
    InternalErrorMessage internal_error;
} MessageData;
typedef union {
    RxMessage rx;
    TxMessage tx;
    ErrorFrameMessage error_frame;
    EventMessage event;
    InternalErrorMessage internal_error;
    FdRxMessage fd_rx;
    FdTxMessage fd_tx;
} MessageDataEx;
typedef struct { uint32_t type, reserved; MessageData data; } OldMessage;
typedef struct { uint32_t type, reserved; MessageDataEx data; } MessageEx;
typedef struct { void *function, *user_data; } Callback;
typedef struct { Callback on_frame, on_event; uint32_t self_reception_mode; } RxQueueConfiguration;
typedef struct { uint32_t reserved; } TxQueueConfiguration;

#define SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), #type)
#define AT(type, field, offset) _Static_assert(offsetof(type, field) == (offset), #type "." #field)
SIZE(Uuid, 16); SIZE(Version, 4); SIZE(UuidVersion, 20); SIZE(ServiceId, 40);
SIZE(ServiceIdParam, 172); AT(ServiceIdParam, count, 40); AT(ServiceIdParam, access_param, 44);
SIZE(NodeRange, 8);
SIZE(SubItem, 628); AT(SubItem, node_type, 172); AT(SubItem, uri_name, 176); AT(SubItem, visible_name, 304);
AT(SubItem, version, 308); AT(SubItem, reserved2, 312); AT(SubItem, server_affinity, 400);
AT(SubItem, required_affinity0, 416); AT(SubItem, reserved, 432); AT(SubItem, required_affinity1, 448);
AT(SubItem, count, 464); AT(SubItem, required_api, 468);
SIZE(Tree, 656); AT(Tree, sibling, 632); AT(Tree, child, 640); AT(Tree, children_probed, 648);
SIZE(TimerCapabilities, 108); AT(TimerCapabilities, format, 40); AT(TimerCapabilities, tick_frequency, 44);
AT(TimerCapabilities, local_time_origin, 60); AT(TimerCapabilities, sync_slave, 100);
SIZE(FdConfiguration, 40); AT(FdConfiguration, flags, 16); AT(FdConfiguration, can_rx_mode, 24);
AT(FdConfiguration, fd_tx_config, 32); AT(FdConfiguration, reserved, 38);
SIZE(Configuration, 84); AT(Configuration, self_reception_mode, 28); AT(Configuration, fd_enabled, 36);
AT(Configuration, fd, 40); AT(Configuration, tx_policy, 80);
SIZE(Properties, 4); SIZE(Capabilities, 64); SIZE(ControllerStatus, 8);
SIZE(RxFilter, 12); SIZE(RxFilterEx, 16); AT(RxFilterEx, flags_value, 12); AT(RxFilterEx, flags_mask, 14);
SIZE(EventFilter, 12);
SIZE(RxMessage, 32); AT(RxMessage, flags, 16); AT(RxMessage, dlc, 19); AT(RxMessage, data, 24);
SIZE(TxMessage, 16); AT(TxMessage, dlc, 7); AT(TxMessage, data, 8);
SIZE(FdRxMessage, 88); AT(FdRxMessage, size, 19); AT(FdRxMessage, data, 24);
SIZE(FdTxMessage, 72); AT(FdTxMessage, size, 7); AT(FdTxMessage, data, 8);
SIZE(ErrorFrameMessage, 32); AT(ErrorFrameMessage, type, 20); AT(ErrorFrameMessage, destination, 24);
SIZE(EventMessage, 24); AT(EventMessage, event_code, 12);
SIZE(InternalErrorMessage, 24); AT(InternalErrorMessage, error_code, 16);
SIZE(OldMessage, 40); SIZE(MessageEx, 96); AT(MessageEx, data, 8);
SIZE(RxQueueConfiguration, 40); AT(RxQueueConfiguration, on_event, 16); AT(RxQueueConfiguration, self_reception_mode, 32);
SIZE(TxQueueConfiguration, 4);

static int64_t library_layout(const char *structure, const char *field) {
    LAYOUT(Uuid) FIELD(Uuid, data)
    LAYOUT(Version) FIELD(Version, major) FIELD(Version, minor) FIELD(Version, bugfix) FIELD(Version, build)
    LAYOUT(UuidVersion) FIELD(UuidVersion, uuid) FIELD(UuidVersion, version)
    LAYOUT(ServiceId) FIELD(ServiceId, api) FIELD(ServiceId, access)
    LAYOUT(ServiceIdParam) FIELD(ServiceIdParam, id) FIELD(ServiceIdParam, count) FIELD(ServiceIdParam, access_param)
    LAYOUT(NodeRange) FIELD(NodeRange, min) FIELD(NodeRange, max)
    LAYOUT(SubItem) FIELD(SubItem, server) FIELD(SubItem, node_type) FIELD(SubItem, uri_name)
    FIELD(SubItem, visible_name) FIELD(SubItem, version) FIELD(SubItem, reserved2) FIELD(SubItem, server_affinity)
    FIELD(SubItem, required_affinity0) FIELD(SubItem, reserved) FIELD(SubItem, required_affinity1)
    FIELD(SubItem, count) FIELD(SubItem, required_api)
    LAYOUT(Tree) FIELD(Tree, item) FIELD(Tree, sibling) FIELD(Tree, child) FIELD(Tree, children_probed)
    LAYOUT(TimerCapabilities) FIELD(TimerCapabilities, local_clock_id) FIELD(TimerCapabilities, format)
    FIELD(TimerCapabilities, tick_frequency) FIELD(TimerCapabilities, ticks_per_increment)
    FIELD(TimerCapabilities, local_stratum_level) FIELD(TimerCapabilities, local_reference_scale)
    FIELD(TimerCapabilities, local_time_origin) FIELD(TimerCapabilities, sync_slave)
    FIELD(TimerCapabilities, sync_master)
    LAYOUT(FdConfiguration) FIELD(FdConfiguration, data_bit_rate) FIELD(FdConfiguration, data_sample_point)
    FIELD(FdConfiguration, data_btl_cycles) FIELD(FdConfiguration, data_sjw) FIELD(FdConfiguration, flags)
    FIELD(FdConfiguration, secondary_sample_point_offset) FIELD(FdConfiguration, can_rx_mode)
    FIELD(FdConfiguration, fd_rx_mode) FIELD(FdConfiguration, fd_tx_config)
    FIELD(FdConfiguration, secondary_sample_point_filter_window) FIELD(FdConfiguration, reserved)
    LAYOUT(Configuration) FIELD(Configuration, baudrate) FIELD(Configuration, sample_point)
    FIELD(Configuration, samples_per_bit) FIELD(Configuration, btl_cycles) FIELD(Configuration, sjw)
    FIELD(Configuration, sync_edge) FIELD(Configuration, physical_media) FIELD(Configuration, self_reception_mode)
    FIELD(Configuration, bus_participation_mode) FIELD(Configuration, fd_enabled) FIELD(Configuration, fd)
    FIELD(Configuration, tx_policy)
    LAYOUT(Properties) FIELD(Properties, mode)
    LAYOUT(Capabilities) FIELD(Capabilities, samples_per_bit) FIELD(Capabilities, sync_edge)
    FIELD(Capabilities, physical_media) FIELD(Capabilities, reserved) FIELD(Capabilities, bus_events)
    FIELD(Capabilities, error_frames) FIELD(Capabilities, message_flags) FIELD(Capabilities, fd_support)
    FIELD(Capabilities, fd_max_data_size) FIELD(Capabilities, fd_max_qualified_data_rate)
    FIELD(Capabilities, fd_max_data_rate) FIELD(Capabilities, can_rx_mode) FIELD(Capabilities, fd_rx_mode)
    FIELD(Capabilities, fd_tx_mode) FIELD(Capabilities, bus_participation_mode) FIELD(Capabilities, tx_policies)
    LAYOUT(ControllerStatus) FIELD(ControllerStatus, reserved) FIELD(ControllerStatus, state_code)
    LAYOUT(RxFilter) FIELD(RxFilter, id_value) FIELD(RxFilter, id_mask) FIELD(RxFilter, tag)
    LAYOUT(RxFilterEx) FIELD(RxFilterEx, id_value) FIELD(RxFilterEx, id_mask) FIELD(RxFilterEx, tag)
    FIELD(RxFilterEx, flags_value) FIELD(RxFilterEx, flags_mask)
    LAYOUT(EventFilter) FIELD(EventFilter, kinds) FIELD(EventFilter, tag) FIELD(EventFilter, destination)
    LAYOUT(RxMessage) FIELD(RxMessage, timestamp) FIELD(RxMessage, tag) FIELD(RxMessage, frame_id)
    FIELD(RxMessage, flags) FIELD(RxMessage, res) FIELD(RxMessage, dlc) FIELD(RxMessage, res1) FIELD(RxMessage, data)
    LAYOUT(TxMessage) FIELD(TxMessage, frame_id) FIELD(TxMessage, flags) FIELD(TxMessage, res) FIELD(TxMessage, dlc)
    FIELD(TxMessage, data)
    LAYOUT(FdRxMessage) FIELD(FdRxMessage, timestamp) FIELD(FdRxMessage, tag) FIELD(FdRxMessage, frame_id)
    FIELD(FdRxMessage, flags) FIELD(FdRxMessage, res) FIELD(FdRxMessage, size) FIELD(FdRxMessage, res1)
    FIELD(FdRxMessage, data)
    LAYOUT(FdTxMessage) FIELD(FdTxMessage, frame_id) FIELD(FdTxMessage, flags) FIELD(FdTxMessage, res)
    FIELD(FdTxMessage, size) FIELD(FdTxMessage, data)
    LAYOUT(ErrorFrameMessage) FIELD(ErrorFrameMessage, timestamp) FIELD(ErrorFrameMessage, tag)
    FIELD(ErrorFrameMessage, frame_id) FIELD(ErrorFrameMessage, flags) FIELD(ErrorFrameMessage, res)
    FIELD(ErrorFrameMessage, dlc) FIELD(ErrorFrameMessage, type) FIELD(ErrorFrameMessage, destination)
    LAYOUT(EventMessage) FIELD(EventMessage, timestamp) FIELD(EventMessage, tag) FIELD(EventMessage, event_code)
    FIELD(EventMessage, destination)
    LAYOUT(InternalErrorMessage) FIELD(InternalErrorMessage, timestamp) FIELD(InternalErrorMessage, tag)
    FIELD(InternalErrorMessage, event_code) FIELD(InternalErrorMessage, error_code)
    LAYOUT(OldMessage) FIELD(OldMessage, type) FIELD(OldMessage, reserved) FIELD(OldMessage, data)
    LAYOUT(MessageEx) FIELD(MessageEx, type) FIELD(MessageEx, reserved) FIELD(MessageEx, data)
    LAYOUT(RxQueueConfiguration) FIELD(RxQueueConfiguration, on_frame) FIELD(RxQueueConfiguration, on_event)
    FIELD(RxQueueConfiguration, self_reception_mode)
    LAYOUT(TxQueueConfiguration) FIELD(TxQueueConfiguration, reserved)
    return -1;
}

/* --- constants ------------------------------------------------------------------------------------------- */

enum { RX = 1, TX, ERROR_FRAME, BUS_EVENT, INTERNAL_ERROR, QUEUE_EVENT, TIMER_EVENT, FD_RX, FD_TX };
enum { EXTENDED = 1, REMOTE = 2, SELF = 4, BRS = 8, PADDED = 16, ESI = 32, FD = 64 };
#define OK 0u
#define ADAPTED 0x40004000u
#define INVALID_PARAMETER 0x80001000u
#define INVALID_HANDLE 0x80001002u
#define NOT_SUPPORTED 0x80001004u
#define FILTER_REFUSED 0x80001005u
#define VERSION_NOT_SUPPORTED 0x80002000u
#define NO_INTERFACE 0x80002004u
#define WRONG_STATE 0x80003000u
#define QUEUE_FULL 0x80003002u
#define INCOMPATIBLE 0x80004000u
#define NO_RESOURCES 0x80004002u
#define DISCONNECTED 0x80005001u
#define BUS_NAME "etas"

/* --- state ----------------------------------------------------------------------------------------------- */

#define MAX_CONTROLLERS 16
#define MAX_FILTERS 256
#define MAX_TREES 16
#define FIRST_HANDLE (-2147483647) /* the driver may return any number but -1 */
#define RX_QUEUES 1000
#define TX_QUEUES 2000

typedef struct {
    int used, is_open, port, has_rx, has_tx, minor, readers;
    Configuration configuration;
    uint32_t state, error_kinds, event_kinds, rx_self;
    uint32_t filter_count;
    RxFilterEx filters[MAX_FILTERS];
} Controller;

static Controller controllers[MAX_CONTROLLERS];
static Tree *trees[MAX_TREES];
static pthread_mutex_t state_lock = PTHREAD_MUTEX_INITIALIZER;
static int is_unplugged;
static int64_t powered_ns; /* when the timer of the hardware was 0 */

#define ORDERS(function) \
    do { \
        int64_t status_; \
        if (told_to_fail(function, &status_)) return (uint32_t)status_; \
    } while (0)
#define UNLESS(condition, code, ...) \
    do { \
        if (!(condition)) { \
            violation(__VA_ARGS__); \
            return code; \
        } \
    } while (0)

static uint32_t frequency(void) { return (uint32_t)hook("frequency", 1234567); }
static int64_t ticks_at(int64_t time_ns) {
    if (!powered_ns) powered_ns = now_ns() - 5000000000000; /* switched on 5000 s ago */
    return (int64_t)((__int128)(time_ns - powered_ns) * frequency() / 1000000000);
}

static Controller *controller_of(const char *function, int32_t handle) {
    int64_t number = (int64_t)handle - FIRST_HANDLE;
    if (number >= 0 && number < MAX_CONTROLLERS && controllers[number].used) return &controllers[number];
    violation("%s: controller %d does not exist", function, handle);
    return NULL;
}

static Controller *queue_of(const char *function, int32_t handle, int64_t base) {
    int64_t number = (int64_t)handle - FIRST_HANDLE - base;
    if (number >= 0 && number < MAX_CONTROLLERS && controllers[number].used &&
        (base == RX_QUEUES ? controllers[number].has_rx : controllers[number].has_tx))
        return &controllers[number];
    violation("%s: queue %d does not exist", function, handle);
    return NULL;
}

/* --- CSI: the protocol tree ------------------------------------------------------------------------------ */

static Tree *node(const char *name, Tree *child, Tree *sibling) {
    Tree *made = malloc(sizeof(Tree));
    memset(made, 0xA5, sizeof(Tree));
    snprintf(made->item.uri_name, sizeof made->item.uri_name, "%s", name);
    made->item.node_type = child ? 0x100 : 0x200;
    made->child = child;
    made->sibling = sibling;
    made->children_probed = 1;
    return made;
}

static void free_tree(Tree *tree) {
    while (tree) {
        Tree *next = tree->sibling;
        free_tree(tree->child);
        memset(tree, 0xEE, sizeof(Tree));
        free(tree);
        tree = next;
    }
}

EXPORT uint32_t CSI_CreateProtocolTree(const char *uri, NodeRange range, Tree **tree) {
    ORDERS("CSI_CreateProtocolTree");
    UNLESS(uri && tree, INVALID_PARAMETER, "CSI_CreateProtocolTree: NULL");
    called("CSI_CreateProtocolTree uri=\"%s\" min=%u max=%#x", uri, range.min, range.max);
    UNLESS(range.min == 0 && range.max == 0x7FFF, INVALID_PARAMETER, "CSI_CreateProtocolTree: range %u to %#x",
           range.min, range.max);
    if (hook("hangs", 0)) pause();
    pthread_mutex_lock(&state_lock);
    uint32_t code = NO_RESOURCES;
    for (int i = 0; i < MAX_TREES; i++)
        if (!trees[i]) {
            Tree *eth = node("ETH", node("ES910:abcd", node("LIN:1", NULL, node("CAN:1", NULL, node("CAN:2", NULL, NULL))), NULL), NULL);
            Tree *usb = node("USB", node("ES582.1:1234567", node("CAN:1", NULL, NULL), node("SCAN:2", NULL, NULL)), NULL);
            eth->sibling = usb;
            usb->sibling = node("XETK", NULL, NULL);
            *tree = trees[i] = hook("empty", 0) ? NULL : eth;
            if (!*tree) free_tree(eth);
            else opened(1);
            code = OK;
            break;
        }
    pthread_mutex_unlock(&state_lock);
    return code;
}

EXPORT uint32_t CSI_DestroyProtocolTree(Tree *tree) {
    called("CSI_DestroyProtocolTree");
    if (!tree) return OK;
    uint32_t code = INVALID_PARAMETER;
    pthread_mutex_lock(&state_lock);
    int others = 0, users = 0;
    for (int i = 0; i < MAX_CONTROLLERS; i++) users += controllers[i].used;
    for (int i = 0; i < MAX_TREES; i++) {
        if (trees[i] == tree) {
            trees[i] = NULL;
            free_tree(tree);
            opened(-1);
            code = OK;
        } else if (trees[i]) others++;
    }
    pthread_mutex_unlock(&state_lock);
    if (code) violation("CSI_DestroyProtocolTree: no such tree");
    if (users > others && !others) violation("CSI_DestroyProtocolTree: a controller still needs it");
    ORDERS("CSI_DestroyProtocolTree");
    return code;
}

/* --- OCI: controllers ------------------------------------------------------------------------------------ */

static int exists(const char *uri) {
    return !strcmp(uri, "ETAS://ETH/ES910:abcd/CAN:1") || !strcmp(uri, "ETAS://ETH/ES910:abcd/CAN:2") ||
           !strcmp(uri, "ETAS://USB/ES582.1:1234567/CAN:1");
}

EXPORT uint32_t OCI_CreateCANControllerNoSearch(const char *uri, const Version *version, Tree *tree, int32_t *handle) {
    UNLESS(uri && version && tree && handle, INVALID_PARAMETER, "OCI_CreateCANControllerNoSearch: NULL");
    called("OCI_CreateCANControllerNoSearch uri=%s version=%u.%u.%u.%u", uri, version->major, version->minor,
           version->bugfix, version->build);
    ORDERS("OCI_CreateCANControllerNoSearch");
    UNLESS(version->major == 1 && !version->bugfix && !version->build, VERSION_NOT_SUPPORTED,
           "OCI_CreateCANControllerNoSearch: version %u.%u", version->major, version->minor);
    int known = 0;
    pthread_mutex_lock(&state_lock);
    for (int i = 0; i < MAX_TREES; i++) known += trees[i] == tree;
    pthread_mutex_unlock(&state_lock);
    UNLESS(known, INVALID_PARAMETER, "OCI_CreateCANControllerNoSearch: the tree does not exist");
    if (version->minor > hook("minor", 4)) return VERSION_NOT_SUPPORTED;
    if (!exists(uri)) return NO_INTERFACE;
    if (is_unplugged) return DISCONNECTED;
    pthread_mutex_lock(&state_lock);
    int number = 0;
    while (number < MAX_CONTROLLERS && controllers[number].used) number++;
    if (number < MAX_CONTROLLERS) {
        memset(&controllers[number], 0, sizeof controllers[number]);
        controllers[number].used = 1;
        controllers[number].minor = version->minor;
        controllers[number].state = 1;
        *handle = FIRST_HANDLE + number;
        opened(1);
    }
    pthread_mutex_unlock(&state_lock);
    return number < MAX_CONTROLLERS ? OK : NO_RESOURCES;
}

EXPORT uint32_t OCI_DestroyCANController(int32_t handle) {
    called("OCI_DestroyCANController");
    Controller *c = controller_of("OCI_DestroyCANController", handle);
    if (!c) return INVALID_HANDLE;
    UNLESS(!c->is_open, WRONG_STATE, "OCI_DestroyCANController: it is open");
    c->used = 0;
    opened(-1);
    ORDERS("OCI_DestroyCANController");
    return OK;
}

static const char *fault_of(const Configuration *c, int minor) {
    if (!c->baudrate) return "bit rate";
    if (c->sample_point < 1 || c->sample_point > 99) return "sample point";
    if (c->samples_per_bit != 1 && c->samples_per_bit != 2) return "samples per bit";
    if (c->btl_cycles < 4 || !c->sjw || c->sjw >= c->btl_cycles) return "BTL cycles or SJW";
    if (c->sync_edge != 1 && c->sync_edge != 2) return "edge";
    if (c->physical_media != 1 && c->physical_media != 2) return "media";
    if (c->self_reception_mode > 1) return "self reception";
    if (c->bus_participation_mode != 1 && c->bus_participation_mode != 2) return "participation";
    if (c->fd_enabled > 1) return "CAN FD";
    if (minor >= 4 && c->tx_policy > 2) return "transmission policy";
    if (!c->fd_enabled) return NULL;
    if (minor < 3) return "CAN FD before API 1.3";
    if (!c->fd.data_bit_rate || c->fd.data_bit_rate < c->baudrate) return "data bit rate";
    if (c->fd.data_sample_point < 1 || c->fd.data_sample_point > 99) return "data sample point";
    if (c->fd.data_btl_cycles < 4 || !c->fd.data_sjw) return "data BTL cycles or SJW";
    if (c->fd.flags & ~7u) return "CAN FD flags";
    if (c->fd.can_rx_mode != 1 && c->fd.can_rx_mode != 2) return "classic RX mode";
    if (c->fd.fd_rx_mode != 1 && c->fd.fd_rx_mode != 2 && c->fd.fd_rx_mode != 4 && c->fd.fd_rx_mode != 8) return "FD RX mode";
    if (c->fd.fd_tx_config != 1 && c->fd.fd_tx_config != 2 && c->fd.fd_tx_config != 4) return "FD TX";
    return NULL;
}

EXPORT uint32_t OCI_OpenCANController(int32_t handle, const Configuration *wanted, const Properties *properties) {
    Controller *c = controller_of("OCI_OpenCANController", handle);
    if (!c) return INVALID_HANDLE;
    UNLESS(wanted && properties && properties->mode <= 1, INVALID_PARAMETER, "OCI_OpenCANController: arguments");
    called("OCI_OpenCANController rate=%u sp=%u samples=%u btl=%u sjw=%u edge=%u media=%u self=%u mode=%u fd=%u"
           " drate=%u dsp=%u dbtl=%u dsjw=%u flags=%u rx=%u fdrx=%u fdtx=%u",
           wanted->baudrate, wanted->sample_point, wanted->samples_per_bit, wanted->btl_cycles, wanted->sjw,
           wanted->sync_edge, wanted->physical_media, wanted->self_reception_mode, wanted->bus_participation_mode,
           wanted->fd_enabled, wanted->fd.data_bit_rate, wanted->fd.data_sample_point, wanted->fd.data_btl_cycles,
           wanted->fd.data_sjw, wanted->fd.flags, wanted->fd.can_rx_mode, wanted->fd.fd_rx_mode, wanted->fd.fd_tx_config);
    ORDERS("OCI_OpenCANController");
    UNLESS(!c->is_open, WRONG_STATE, "OCI_OpenCANController: it is open");
    const char *fault = fault_of(wanted, c->minor);
    UNLESS(!fault, INVALID_PARAMETER, "OCI_OpenCANController: %s", fault);
    if (wanted->fd_enabled && !hook("fd", 1)) return NOT_SUPPORTED;
    if (is_unplugged) return DISCONNECTED;
    c->configuration = *wanted;
    int adapts = (int)hook("adapt", 0);
    if (adapts) c->configuration.samples_per_bit = 1;
    if (hook("adapt_rate", 0)) c->configuration.baudrate = (uint32_t)hook("adapt_rate", 0), adapts = 1;
    c->port = port_open(BUS_NAME, (uint32_t)hook("depth", 16384), c->configuration.baudrate,
                        wanted->fd_enabled ? wanted->fd.data_bit_rate : 0);
    if (c->port < 0) return NO_RESOURCES;
    c->is_open = 1;
    opened(1);
    return adapts ? ADAPTED : OK;
}

EXPORT uint32_t OCI_CloseCANController(int32_t handle) {
    called("OCI_CloseCANController");
    Controller *c = controller_of("OCI_CloseCANController", handle);
    if (!c) return INVALID_HANDLE;
    UNLESS(c->is_open, WRONG_STATE, "OCI_CloseCANController: it is not open");
    UNLESS(!c->has_rx && !c->has_tx, WRONG_STATE, "OCI_CloseCANController: it has queues");
    c->is_open = 0;
    port_close(c->port);
    opened(-1);
    ORDERS("OCI_CloseCANController");
    return OK;
}

EXPORT uint32_t OCI_GetCANConfiguration(int32_t handle, Configuration *configuration) {
    called("OCI_GetCANConfiguration");
    ORDERS("OCI_GetCANConfiguration");
    Controller *c = controller_of("OCI_GetCANConfiguration", handle);
    if (!c) return INVALID_HANDLE;
    UNLESS(configuration && c->is_open, WRONG_STATE, "OCI_GetCANConfiguration: it is not open");
    *configuration = c->configuration;
    return OK;
}

EXPORT uint32_t OCI_AdaptCANConfiguration(int32_t handle, Configuration *configuration) {
    called("OCI_AdaptCANConfiguration");
    ORDERS("OCI_AdaptCANConfiguration");
    Controller *c = controller_of("OCI_AdaptCANConfiguration", handle);
    if (!c) return INVALID_HANDLE;
    UNLESS(configuration && c->is_open, WRONG_STATE, "OCI_AdaptCANConfiguration: it is not open");
    if (configuration->bus_participation_mode != c->configuration.bus_participation_mode) return INCOMPATIBLE;
    c->configuration = *configuration;
    return OK;
}

EXPORT uint32_t OCI_CreateCANControllerVersion(const char *uri, const Version *version, int32_t *handle) {
    (void)uri, (void)version, (void)handle;
    called("OCI_CreateCANControllerVersion");
    return NOT_SUPPORTED; /* it searches the tree itself: canx has a tree already */
}

EXPORT uint32_t OCI_GetCANControllerCapabilities(int32_t handle, uint32_t *words) {
    called("OCI_GetCANControllerCapabilities");
    ORDERS("OCI_GetCANControllerCapabilities");
    if (!controller_of("OCI_GetCANControllerCapabilities", handle)) return INVALID_HANDLE;
    UNLESS(words, INVALID_PARAMETER, "OCI_GetCANControllerCapabilities: NULL");
    int has_fd = (int)hook("fd", 1);
    Capabilities found = {.samples_per_bit = 3, .sync_edge = 3, .physical_media = 1, .bus_events = 0xF,
                          .error_frames = 0xFF, .message_flags = 0x7F, .fd_support = has_fd ? 3 : 0,
                          .fd_max_data_size = has_fd ? 64 : 0, .bus_participation_mode = 3, .tx_policies = 3};
    memcpy(words, &found, sizeof found);
    if (hook("long_capabilities", 0)) words[16] = 0x12345678; /* a newer driver writes one word more */
    return OK;
}

EXPORT uint32_t OCI_GetCANControllerStatus(int32_t handle, ControllerStatus *status) {
    ORDERS("OCI_GetCANControllerStatus");
    Controller *c = controller_of("OCI_GetCANControllerStatus", handle);
    if (!c) return INVALID_HANDLE;
    UNLESS(status && c->is_open, WRONG_STATE, "OCI_GetCANControllerStatus: it is not open");
    if (is_unplugged) return DISCONNECTED;
    status->reserved = 0xA5A5A5A5;
    status->state_code = c->state;
    return OK;
}

EXPORT uint32_t OCI_GetTimerCapabilities(int32_t handle, TimerCapabilities *capabilities) {
    called("OCI_GetTimerCapabilities");
    ORDERS("OCI_GetTimerCapabilities");
    if (!controller_of("OCI_GetTimerCapabilities", handle)) return INVALID_HANDLE;
    UNLESS(capabilities, INVALID_PARAMETER, "OCI_GetTimerCapabilities: NULL");
    memset(capabilities, 0xA5, sizeof *capabilities);
    capabilities->tick_frequency = frequency();
    capabilities->ticks_per_increment = 1;
    return OK;
}

EXPORT uint32_t OCI_GetTimerValue(int32_t handle, int64_t *value) {
    ORDERS("OCI_GetTimerValue");
    if (!controller_of("OCI_GetTimerValue", handle)) return INVALID_HANDLE;
    UNLESS(value, INVALID_PARAMETER, "OCI_GetTimerValue: NULL");
    if (is_unplugged) return DISCONNECTED;
    *value = ticks_at(now_ns());
    return OK;
}

EXPORT uint32_t OCI_GetError(int32_t handle, uint32_t code, char *text, uint32_t size) {
    ORDERS("OCI_GetError");
    if (!controller_of("OCI_GetError", handle)) return INVALID_HANDLE;
    UNLESS(text && size, INVALID_PARAMETER, "OCI_GetError: no room");
    memset(text, 0xA5, size);
    snprintf(text, size, "Ger\xC3\xA4t: %s\n", code == DISCONNECTED ? "device disconnected" : code == ADAPTED ? "adapted" : "refused");
    return OK;
}

/* --- OCI: queues ----------------------------------------------------------------------------------------- */

EXPORT uint32_t OCI_CreateCANRxQueue(int32_t handle, const RxQueueConfiguration *configuration, int32_t *queue) {
    Controller *c = controller_of("OCI_CreateCANRxQueue", handle);
    if (!c) return INVALID_HANDLE;
    UNLESS(configuration && queue, INVALID_PARAMETER, "OCI_CreateCANRxQueue: NULL");
    called("OCI_CreateCANRxQueue self=%u callbacks=%d", configuration->self_reception_mode,
           configuration->on_frame.function || configuration->on_event.function);
    ORDERS("OCI_CreateCANRxQueue");
    UNLESS(c->is_open && !c->has_rx, WRONG_STATE, "OCI_CreateCANRxQueue: not open, or it has one");
    UNLESS(!configuration->on_frame.function && !configuration->on_event.function &&
               configuration->self_reception_mode <= 1,
           INVALID_PARAMETER, "OCI_CreateCANRxQueue: configuration");
    c->rx_self = configuration->self_reception_mode;
    c->has_rx = 1;
    c->filter_count = c->error_kinds = c->event_kinds = 0;
    port_clear(c->port);
    *queue = FIRST_HANDLE + RX_QUEUES + (int32_t)(c - controllers);
    opened(1);
    return OK;
}

EXPORT uint32_t OCI_DestroyCANRxQueue(int32_t queue) {
    called("OCI_DestroyCANRxQueue");
    Controller *c = queue_of("OCI_DestroyCANRxQueue", queue, RX_QUEUES);
    if (!c) return INVALID_HANDLE;
    if (__atomic_load_n(&c->readers, __ATOMIC_ACQUIRE)) violation("OCI_DestroyCANRxQueue: a thread reads from it");
    c->has_rx = 0;
    opened(-1);
    ORDERS("OCI_DestroyCANRxQueue");
    return OK;
}

EXPORT uint32_t OCI_CreateCANTxQueue(int32_t handle, const TxQueueConfiguration *configuration, int32_t *queue) {
    called("OCI_CreateCANTxQueue");
    ORDERS("OCI_CreateCANTxQueue");
    Controller *c = controller_of("OCI_CreateCANTxQueue", handle);
    if (!c) return INVALID_HANDLE;
    UNLESS(configuration && queue && !configuration->reserved, INVALID_PARAMETER, "OCI_CreateCANTxQueue: arguments");
    UNLESS(c->is_open && !c->has_tx, WRONG_STATE, "OCI_CreateCANTxQueue: not open, or it has one");
    c->has_tx = 1;
    *queue = FIRST_HANDLE + TX_QUEUES + (int32_t)(c - controllers);
    opened(1);
    return OK;
}

EXPORT uint32_t OCI_DestroyCANTxQueue(int32_t queue) {
    called("OCI_DestroyCANTxQueue");
    Controller *c = queue_of("OCI_DestroyCANTxQueue", queue, TX_QUEUES);
    if (!c) return INVALID_HANDLE;
    c->has_tx = 0;
    opened(-1);
    ORDERS("OCI_DestroyCANTxQueue");
    return OK;
}

EXPORT uint32_t OCI_ResetQueue(int32_t queue) {
    called("OCI_ResetQueue");
    ORDERS("OCI_ResetQueue");
    int64_t number = (int64_t)queue - FIRST_HANDLE;
    Controller *c = queue_of("OCI_ResetQueue", queue, number >= TX_QUEUES ? TX_QUEUES : RX_QUEUES);
    if (!c) return INVALID_HANDLE;
    if (number < TX_QUEUES) port_clear(c->port);
    return is_unplugged ? DISCONNECTED : OK;
}

/* --- OCI: filters ---------------------------------------------------------------------------------------- */

static uint32_t change_filters(const char *function, int32_t queue, int adds, int minor, const RxFilterEx *filters, uint32_t count) {
    Controller *c = queue_of(function, queue, RX_QUEUES);
    if (!c) return INVALID_HANDLE;
    UNLESS(c->minor >= minor, NOT_SUPPORTED, "%s: the controller has API 1.%d", function, c->minor);
    UNLESS(count, INVALID_PARAMETER, "%s: no filter", function);
    for (uint32_t i = 0; i < count; i++) {
        UNLESS(filters[i].id_value <= 0x1FFFFFFF && filters[i].id_mask <= 0x1FFFFFFF && !(filters[i].flags_mask & ~0x7F) &&
                   !(filters[i].flags_value & ~0x7F), INVALID_PARAMETER, "%s: filter %u", function, i);
    }
    uint32_t code = OK;
    pthread_mutex_lock(&state_lock);
    if (adds && c->filter_count + count > (uint32_t)hook("max_filters", 64)) code = FILTER_REFUSED;
    for (uint32_t i = 0; i < count && !code; i++) {
        if (adds) {
            c->filters[c->filter_count++] = filters[i];
            continue;
        }
        uint32_t at = 0;
        while (at < c->filter_count && memcmp(&c->filters[at], &filters[i], sizeof filters[i])) at++;
        if (at == c->filter_count) code = INVALID_PARAMETER;
        else c->filters[at] = c->filters[--c->filter_count];
    }
    pthread_mutex_unlock(&state_lock);
    for (uint32_t i = 0; i < count && !code; i++)
        called("%s %x/%x %x/%x", function, filters[i].id_value, filters[i].id_mask, filters[i].flags_value, filters[i].flags_mask);
    if (code == INVALID_PARAMETER) violation("%s: there is no such filter", function);
    return code;
}

static uint32_t change_plain(const char *function, int32_t queue, int adds, const RxFilter *filters, uint32_t count) {
    UNLESS(filters && count && count <= MAX_FILTERS, INVALID_PARAMETER, "%s: %u filters", function, count);
    RxFilterEx copies[MAX_FILTERS];
    for (uint32_t i = 0; i < count; i++)
        copies[i] = (RxFilterEx){filters[i].id_value, filters[i].id_mask, filters[i].tag, 0, 0};
    return change_filters(function, queue, adds, 0, copies, count);
}

EXPORT uint32_t OCI_AddCANFrameFilter(int32_t queue, const RxFilter *filters, uint32_t count) {
    ORDERS("OCI_AddCANFrameFilter");
    return change_plain("OCI_AddCANFrameFilter", queue, 1, filters, count);
}
EXPORT uint32_t OCI_RemoveCANFrameFilter(int32_t queue, const RxFilter *filters, uint32_t count) {
    ORDERS("OCI_RemoveCANFrameFilter");
    return change_plain("OCI_RemoveCANFrameFilter", queue, 0, filters, count);
}

#ifndef OLD
static uint32_t change_pointed(const char *function, int32_t queue, int adds, RxFilterEx *const *filters, uint32_t count) {
    UNLESS(filters && count && count <= MAX_FILTERS, INVALID_PARAMETER, "%s: %u filters", function, count);
    RxFilterEx copies[MAX_FILTERS];
    for (uint32_t i = 0; i < count; i++) {
        UNLESS(filters[i], INVALID_PARAMETER, "%s: pointer %u is NULL", function, i);
        copies[i] = *filters[i];
    }
    return change_filters(function, queue, adds, 4, copies, count);
}

EXPORT uint32_t OCI_AddCANFrameFilterEx(int32_t queue, RxFilterEx *const *filters, uint32_t count) {
    ORDERS("OCI_AddCANFrameFilterEx");
    return change_pointed("OCI_AddCANFrameFilterEx", queue, 1, filters, count);
}
EXPORT uint32_t OCI_RemoveCANFrameFilterEx(int32_t queue, RxFilterEx *const *filters, uint32_t count) {
    ORDERS("OCI_RemoveCANFrameFilterEx");
    return change_pointed("OCI_RemoveCANFrameFilterEx", queue, 0, filters, count);
}
#endif

static uint32_t change_kinds(const char *function, int32_t queue, const EventFilter *filters, uint32_t count, int is_error, int adds) {
    Controller *c = queue_of(function, queue, RX_QUEUES);
    if (!c) return INVALID_HANDLE;
    UNLESS(filters && count == 1 && filters->destination == 1 && !filters->tag, INVALID_PARAMETER, "%s: filter", function);
    called("%s kinds=%x", function, filters->kinds);
    uint32_t *kinds = is_error ? &c->error_kinds : &c->event_kinds;
    *kinds = adds ? *kinds | filters->kinds : *kinds & ~filters->kinds;
    return OK;
}
#define KINDS(name, is_error, adds) \
    EXPORT uint32_t name(int32_t queue, const EventFilter *filters, uint32_t count) { \
        ORDERS(#name); \
        return change_kinds(#name, queue, filters, count, is_error, adds); \
    }
KINDS(OCI_AddCANBusEventFilter, 0, 1)
KINDS(OCI_RemoveCANBusEventFilter, 0, 0)
KINDS(OCI_AddCANErrorFrameFilter, 1, 1)
KINDS(OCI_RemoveCANErrorFrameFilter, 1, 0)

/* --- OCI: sending ---------------------------------------------------------------------------------------- */

/* Wait as the time-out says; return whether the transmit queue got room. */
static int has_room(int64_t ticks) {
    int64_t end = now_ns() + (ticks < 0 ? INT64_MAX / 4 : (int64_t)((__int128)ticks * 1000000000 / frequency()));
    while (hook("tx_full", 0)) {
        if (now_ns() >= end) return 0;
        poll(NULL, 0, 1);
    }
    return 1;
}

static uint32_t send_frame(const char *function, Controller *c, int64_t ticks, uint32_t type, uint32_t id, uint32_t flags, uint8_t size, const uint8_t *data) {
    int is_fd = type == FD_TX;
    called("%s time=%lld type=%u id=%x flags=%x size=%u", function, (long long)ticks, type, id, flags, size);
    UNLESS(c->configuration.bus_participation_mode == 2, WRONG_STATE, "%s: the controller is passive", function);
    UNLESS(type == TX || (is_fd && c->configuration.fd_enabled), INVALID_PARAMETER, "%s: type %u", function, type);
    UNLESS(!(flags & ~(is_fd ? 0x79u : 0x3u)), INVALID_PARAMETER, "%s: flags %#x", function, flags);
    UNLESS(!is_fd || flags & FD, INVALID_PARAMETER, "%s: an FD frame without its flag", function);
    UNLESS(id <= (flags & EXTENDED ? 0x1FFFFFFFu : 0x7FFu), INVALID_PARAMETER, "%s: identifier %#x", function, id);
    static const uint8_t sizes[] = {12, 16, 20, 24, 32, 48, 64};
    UNLESS(size <= 8 || (is_fd && memchr(sizes, size, sizeof sizes)), INVALID_PARAMETER, "%s: size %u", function, size);
    if (is_unplugged) return DISCONNECTED;
    if (!has_room(ticks)) return QUEUE_FULL;
    Record record = {.magic = MAGIC, .kind = KIND_FRAME, .length = size, .id = id, .time_ns = now_ns()};
    record.flags = (flags & EXTENDED ? FLAG_EXTENDED : 0) | (flags & REMOTE ? FLAG_REMOTE : 0) | (is_fd ? FLAG_FD : 0) |
                   (flags & BRS ? FLAG_BRS : 0);
    if (!(flags & REMOTE)) memcpy(record.data, data, size);
    port_send(c->port, record);
    if (c->configuration.self_reception_mode && c->has_rx && c->rx_self) {
        record.flags |= FLAG_ECHO;
        port_put(&ports[c->port], &record);
    }
    return OK;
}

EXPORT uint32_t OCI_WriteCANData(int32_t queue, int64_t time, const OldMessage *messages, uint32_t count, uint32_t *remaining) {
    ORDERS("OCI_WriteCANData");
    Controller *c = queue_of("OCI_WriteCANData", queue, TX_QUEUES);
    if (!c) return INVALID_HANDLE;
    UNLESS(messages && count, INVALID_PARAMETER, "OCI_WriteCANData: NULL");
    for (uint32_t i = 0; i < count; i++) {
        const TxMessage *m = &messages[i].data.tx;
        uint32_t code = send_frame("OCI_WriteCANData", c, time, messages[i].type, m->frame_id, m->flags, m->dlc, m->data);
        if (code) return code;
    }
    if (remaining) *remaining = 0;
    return OK;
}

#ifndef OLD
EXPORT uint32_t OCI_WriteCANDataEx(int32_t queue, int64_t time, MessageEx *const *messages, uint32_t count, uint32_t *remaining) {
    ORDERS("OCI_WriteCANDataEx");
    Controller *c = queue_of("OCI_WriteCANDataEx", queue, TX_QUEUES);
    if (!c) return INVALID_HANDLE;
    UNLESS(c->minor >= 3, NOT_SUPPORTED, "OCI_WriteCANDataEx: the controller has API 1.%d", c->minor);
    UNLESS(messages && count, INVALID_PARAMETER, "OCI_WriteCANDataEx: NULL");
    for (uint32_t i = 0; i < count; i++) {
        UNLESS(messages[i], INVALID_PARAMETER, "OCI_WriteCANDataEx: pointer %u is NULL", i);
        const FdTxMessage *m = &messages[i]->data.fd_tx; /* the classic message begins alike */
        uint32_t code = send_frame("OCI_WriteCANDataEx", c, time, messages[i]->type, m->frame_id, m->flags, m->size, m->data);
        if (code) return code;
    }
    if (remaining) *remaining = 0;
    return OK;
}
#endif

/* --- OCI: receiving -------------------------------------------------------------------------------------- */

static int passes(const Controller *c, uint32_t id, uint32_t flags) {
    for (uint32_t i = 0; i < c->filter_count; i++) {
        const RxFilterEx *f = &c->filters[i];
        if ((id & f->id_mask) == (f->id_value & f->id_mask) && (flags & f->flags_mask) == (uint32_t)(f->flags_value & f->flags_mask))
            return 1;
    }
    return 0;
}

/* Fill an element with a record; return whether the queue receives it. `room` is 8 for the old form. */
static int element(Controller *c, const Record *r, uint32_t *type, MessageDataEx *data, uint32_t room) {
    int64_t ticks = ticks_at(r->time_ns ? r->time_ns : now_ns());
    memset(data, 0xA5, room == 8 ? sizeof(MessageData) : sizeof(MessageDataEx));
    if (r->kind == KIND_FRAME) {
        int is_fd = r->flags & FLAG_FD;
        uint32_t flags = (r->flags & FLAG_EXTENDED ? EXTENDED : 0) | (r->flags & FLAG_REMOTE ? REMOTE : 0) |
                         (r->flags & FLAG_ECHO ? SELF : 0) | (is_fd ? FD : 0) | (r->flags & FLAG_BRS ? BRS : 0) |
                         (r->flags & FLAG_ESI ? ESI : 0);
        if (is_fd && (room == 8 || !c->configuration.fd_enabled)) return 0;
        if (!passes(c, r->id, flags)) return 0;
        *type = is_fd ? FD_RX : RX;
        RxMessage *m = &data->rx; /* the FD message begins alike */
        m->timestamp = ticks;
        m->tag = 0;
        m->frame_id = r->id;
        m->flags = (uint16_t)flags;
        m->res = 0;
        m->dlc = r->length;
        memset(m->res1, 0, 4);
        if (is_fd) memcpy(data->fd_rx.data, r->data, r->length);
        else if (!(r->flags & FLAG_REMOTE)) memcpy(m->data, r->data, r->length > 8 ? 8 : r->length);
        return 1;
    }
    if (r->kind == KIND_ERROR) {
        uint32_t cause = r->code ? r->code : 1;
        if (!(c->error_kinds & cause)) return 0;
        *type = ERROR_FRAME;
        data->error_frame = (ErrorFrameMessage){ticks, 0, 0, 0, 0, 0, cause, 1};
        return 1;
    }
    if (r->kind == KIND_STATE) {
        c->state = r->code & 0xF;
        if (!(c->event_kinds & r->code)) return 0;
        *type = BUS_EVENT;
        data->event = (EventMessage){ticks, 0, r->code, 1};
    } else if (r->kind == KIND_OVERRUN) {
        *type = QUEUE_EVENT;
        data->event = (EventMessage){ticks, 0, r->code ? r->code : 6, 1};
    } else if (r->kind == INTERNAL_ERROR) {
        *type = INTERNAL_ERROR;
        data->internal_error = (InternalErrorMessage){ticks, 0, 0, r->code};
    } else {
        *type = r->kind;
        data->event = (EventMessage){ticks, 0, r->code, 1};
    }
    return 1;
}

/* Fill up to `count` elements, waiting for the first one. */
static uint32_t receive(Controller *c, int64_t ticks, void *const *pointers, char *array, uint32_t count, uint32_t *found) {
    *found = 0;
    int64_t end = now_ns() + (ticks < 0 ? INT64_MAX / 4 : (int64_t)((__int128)ticks * 1000000000 / frequency()));
    Port *port = &ports[c->port];
    while (*found < count) {
        Record record;
        if (port->overrun) {
            port->overrun = 0;
            record = (Record){.kind = KIND_OVERRUN, .time_ns = now_ns()};
        } else if (!port_take(c->port, &record)) {
            if (*found) break;
            if (is_unplugged) return DISCONNECTED;
            int64_t left = end - now_ns();
            if (left <= 0) break;
            port_wait(c->port, left > 20000000 ? 20 : left / 1000000 + 1);
            continue;
        }
        if (pointers) {
            MessageEx *m = pointers[*found];
            if (element(c, &record, &m->type, &m->data, 64)) m->reserved = 0, ++*found;
        } else {
            OldMessage *m = (OldMessage *)array + *found;
            if (element(c, &record, &m->type, (MessageDataEx *)&m->data, 8)) m->reserved = 0, ++*found;
        }
    }
    return OK;
}

static uint32_t read_queue(const char *function, int32_t queue, int64_t time, void *const *pointers, char *array, uint32_t count, uint32_t *found, uint32_t *remaining) {
    Controller *c = queue_of(function, queue, RX_QUEUES);
    if (!c) return INVALID_HANDLE;
    if (time) called("%s time=%lld", function, (long long)time);
    UNLESS(found && count && (pointers || array), INVALID_PARAMETER, "%s: NULL", function);
    UNLESS(!pointers || c->minor >= 3, NOT_SUPPORTED, "%s: the controller has API 1.%d", function, c->minor);
    for (uint32_t i = 0; pointers && i < count; i++)
        UNLESS(pointers[i], INVALID_PARAMETER, "%s: pointer %u is NULL", function, i);
    __atomic_add_fetch(&c->readers, 1, __ATOMIC_ACQ_REL);
    uint32_t code = receive(c, time, pointers, array, count, found);
    if (remaining) *remaining = port_count(c->port);
    __atomic_sub_fetch(&c->readers, 1, __ATOMIC_ACQ_REL);
    return code;
}

EXPORT uint32_t OCI_ReadCANData(int32_t queue, int64_t time, OldMessage *messages, uint32_t count, uint32_t *found, uint32_t *remaining) {
    ORDERS("OCI_ReadCANData");
    return read_queue("OCI_ReadCANData", queue, time, NULL, (char *)messages, count, found, remaining);
}

#ifndef OLD
EXPORT uint32_t OCI_ReadCANDataEx(int32_t queue, int64_t time, MessageEx *const *messages, uint32_t count, uint32_t *found, uint32_t *remaining) {
    ORDERS("OCI_ReadCANDataEx");
    return read_queue("OCI_ReadCANDataEx", queue, time, (void *const *)messages, NULL, count, found, remaining);
}
#endif

/* --- for tests ------------------------------------------------------------------------------------------- */

static void library_reset(void) {
    for (int i = 0; i < MAX_CONTROLLERS; i++)
        if (controllers[i].used && controllers[i].is_open) port_close(controllers[i].port);
    memset(controllers, 0, sizeof controllers);
    for (int i = 0; i < MAX_TREES; i++) free_tree(trees[i]), trees[i] = NULL;
    is_unplugged = 0;
}

static int library_inject(int32_t channel, const Record *record) {
    if (channel < 0 || channel >= MAX_CONTROLLERS || !controllers[channel].is_open) return -1;
    Record copy = *record;
    if (!copy.time_ns) copy.time_ns = now_ns();
    port_put(&ports[controllers[channel].port], &copy);
    return 0;
}

static void library_unplug(int32_t device) {
    (void)device;
    is_unplugged = 1;
    for (int i = 0; i < MAX_CONTROLLERS; i++)
        if (controllers[i].is_open) pthread_cond_broadcast(&ports[controllers[i].port].arrived);
}
