/* An emulated PCAN-Basic 4, with five channels on four devices.
 *
 * Hooks: driver (0: not loaded), api (form of the version), attached (0: an old library without the list of
 * channels), pcanview (1: PCAN-View shares free channels), caution (1), blank (1: the parser before 4.2.3),
 * error_frames, echo, autoreset, event, reception (0: refused or off), identify_ms, tx_depth and tx_drained,
 * windows (1: the event is a handle that the program sets, 0 before closing), rx_depth, bus_bits (combined with the results of reading), boot_time (1: times since the start of the computer).
 */
#include "stub.h"

typedef struct {
    uint32_t ID;
    uint8_t MSGTYPE, LEN, DATA[8];
} TPCANMsg;
typedef struct {
    uint32_t millis;
    uint16_t millis_overflow, micros;
} TPCANTimestamp;
typedef struct {
    uint32_t ID;
    uint8_t MSGTYPE, DLC, DATA[64];
} TPCANMsgFD;
typedef struct {
    uint16_t channel_handle;
    uint8_t device_type, controller_number;
    uint32_t device_features;
    char device_name[33];
    uint32_t device_id, channel_condition;
} TPCANChannelInformation;

_Static_assert(sizeof(TPCANMsg) == 16 && offsetof(TPCANMsg, DATA) == 6, "TPCANMsg");
_Static_assert(sizeof(TPCANTimestamp) == 8 && offsetof(TPCANTimestamp, micros) == 6, "TPCANTimestamp");
_Static_assert(sizeof(TPCANMsgFD) == 72 && offsetof(TPCANMsgFD, DATA) == 6, "TPCANMsgFD");
_Static_assert(sizeof(TPCANChannelInformation) == 52, "TPCANChannelInformation");
_Static_assert(offsetof(TPCANChannelInformation, device_id) == 44, "TPCANChannelInformation");
_Static_assert(offsetof(TPCANChannelInformation, channel_condition) == 48, "TPCANChannelInformation");

enum {
    OK = 0, BUSLIGHT = 0x4, BUSHEAVY = 0x8, BUSOFF = 0x10, QRCVEMPTY = 0x20, QOVERRUN = 0x40, QXMTFULL = 0x80,
    NODRIVER = 0x200, ILLHW = 0x1400, ILLPARAMTYPE = 0x4000, ILLPARAMVAL = 0x8000, ILLDATA = 0x20000,
    BUSPASSIVE = 0x40000, CAUTION = 0x2000000, INITIALIZE = 0x4000000, ILLOPERATION = 0x8000000,
    ANYBUS = BUSLIGHT | BUSHEAVY | BUSOFF | BUSPASSIVE,
};
enum { RTR = 1, EXTENDED = 2, FD = 4, BRS = 8, ESI = 0x10, ECHO = 0x20, ERRFRAME = 0x40, STATUS = 0x80 };
enum {
    DEVICE_ID = 0x01, RECEIVE_EVENT = 0x03, MESSAGE_FILTER = 0x04, API_VERSION = 0x05, CHANNEL_VERSION = 0x06,
    BUSOFF_AUTORESET = 0x07, LISTEN_ONLY = 0x08, CHANNEL_CONDITION = 0x0D, HARDWARE_NAME = 0x0E,
    RECEIVE_STATUS = 0x0F, CONTROLLER_NUMBER = 0x10, CHANNEL_IDENTIFYING = 0x15, CHANNEL_FEATURES = 0x16,
    BITRATE_INFO = 0x18, BITRATE_INFO_FD = 0x19, BUSSPEED_NOMINAL = 0x1A, BUSSPEED_DATA = 0x1B,
    ALLOW_STATUS_FRAMES = 0x1E, ALLOW_RTR_FRAMES = 0x1F, ALLOW_ERROR_FRAMES = 0x20, FIRMWARE_VERSION = 0x29,
    ATTACHED_CHANNELS_COUNT = 0x2A, ATTACHED_CHANNELS = 0x2B, ALLOW_ECHO_FRAMES = 0x2C, DEVICE_PART_NUMBER = 0x2D,
};
static const uint8_t LENGTHS[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64};

typedef struct {
    uint16_t handle;
    uint8_t type, controller;
    uint32_t features;
    const char *name;
    uint32_t factory_id, id;
    int unplugged, is_open, is_fd, port, inside;
    uint32_t listen_only, auto_reset, errors, statuses, remotes, echo, reception, filter;
    uint32_t ranges[2][2]; /* of standard, of extended identifiers */
    uint32_t status, btr, nominal, data;
    uint64_t event;   /* the handle of Windows */
    uint32_t written; /* frames that wait in the transmit queue, if it has a depth */
    char text[256];
} Channel;

static Channel channels[] = {
    {.handle = 0x51, .type = 5, .controller = 0, .features = 3, .name = "PCAN-USB Pro FD", .factory_id = 0x11},
    {.handle = 0x52, .type = 5, .controller = 1, .features = 3, .name = "PCAN-USB Pro FD", .factory_id = 0x12},
    {.handle = 0x53, .type = 5, .controller = 0, .features = 0, .name = "PCAN-USB", .factory_id = 0x13},
    {.handle = 0x509, .type = 5, .controller = 0, .features = 3, .name = "PCAN-USB FD", .factory_id = 0x14},
    {.handle = 0x41, .type = 4, .controller = 0, .features = 1, .name = "PCAN-PCI Express FD", .factory_id = 0x15},
};
enum { CHANNELS = sizeof channels / sizeof *channels };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of opening and closing */

static int is_known(uint16_t handle) {
    return (handle >= 0x21 && handle <= 0x28) || handle == 0x31 || (handle >= 0x41 && handle <= 0x48) ||
           (handle >= 0x409 && handle <= 0x410) || (handle >= 0x51 && handle <= 0x58) ||
           (handle >= 0x509 && handle <= 0x510) || handle == 0x61 || handle == 0x62 ||
           (handle >= 0x801 && handle <= 0x810);
}

static Channel *found(uint16_t handle) {
    for (int i = 0; i < CHANNELS; i++)
        if (channels[i].handle == handle) return &channels[i];
    return NULL;
}

static uint32_t condition(const Channel *channel) {
    if (!channel || channel->unplugged) return 0;
    if (channel->is_open) return 2;
    return hook("pcanview", 0) ? 3 : 1;
}

/* Enter an open channel: *result is why not. A channel that closes while another thread is inside crashes. */
static Channel *entered(uint16_t handle, uint32_t *result) {
    Channel *channel = found(handle);
    if (!channel) {
        *result = is_known(handle) ? INITIALIZE : ILLHW;
        return NULL;
    }
    __atomic_add_fetch(&channel->inside, 1, __ATOMIC_SEQ_CST);
    if (channel->is_open && !channel->unplugged) return channel;
    *result = channel->is_open ? ILLHW : INITIALIZE;
    __atomic_sub_fetch(&channel->inside, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

static uint32_t leave(Channel *channel, uint32_t result) {
    __atomic_sub_fetch(&channel->inside, 1, __ATOMIC_SEQ_CST);
    return result;
}

/* Close (0) or open (1) the filter, and forget its ranges. */
static void set_filter(Channel *channel, uint32_t value) {
    channel->filter = value;
    for (int i = 0; i < 2; i++) channel->ranges[i][0] = 1, channel->ranges[i][1] = 0; /* empty */
}

/* --- opening and closing --------------------------------------------------------------------------------- */

static uint32_t opened_channel(uint16_t handle, int is_fd, uint32_t nominal, uint32_t data, uint32_t btr, const char *text) {
    if (!hook("driver", 1)) return NODRIVER;
    Channel *channel = found(handle);
    if (!channel || channel->unplugged) return ILLHW;
    if (is_fd && !(channel->features & 1)) return ILLPARAMVAL;
    pthread_mutex_lock(&lock);
    if (channel->is_open) {
        pthread_mutex_unlock(&lock);
        return INITIALIZE;
    }
    channel->port = port_open("pcan", (uint32_t)hook("rx_depth", 32767), nominal, data);
    channel->is_fd = is_fd;
    channel->nominal = nominal, channel->data = data, channel->btr = btr;
    snprintf(channel->text, sizeof channel->text, "%s", text);
    channel->statuses = channel->remotes = 1;
    channel->reception = (uint32_t)hook("reception", 1);
    channel->auto_reset = channel->errors = channel->echo = channel->status = channel->written = 0;
    set_filter(channel, 1);
    channel->is_open = 1;
    opened(1);
    pthread_mutex_unlock(&lock);
    return hook("caution", 0) ? CAUTION : OK;
}

EXPORT uint32_t CAN_Initialize(uint16_t handle, uint16_t btr, uint8_t type, uint32_t port, uint16_t irq) {
    int64_t told = 0;
    uint32_t brp = (btr >> 8 & 0x3F) + 1, quanta = 3 + (btr & 0xF) + (btr >> 4 & 7);
    uint32_t result = told_to_fail("CAN_Initialize", &told)
                          ? (uint32_t)told
                          : opened_channel(handle, 0, 8000000 / (brp * quanta), 0, btr, "");
    called("CAN_Initialize ch=%x btr=%x type=%x port=%x irq=%x -> %x", handle, btr, type, port, irq, result);
    return result;
}

static char *trimmed(char *text) {
    while (*text == ' ') text++;
    char *end = text + strlen(text);
    while (end > text && end[-1] == ' ') *--end = 0;
    return text;
}

/* Parse the text of CAN_InitializeFD; return whether it is valid. */
static int parsed(const char *given, uint32_t *nominal, uint32_t *data) {
    static const struct {
        const char *key;
        uint32_t low, high;
    } keys[] = {{"f_clock", 1, 160000000}, {"f_clock_mhz", 1, 160}, {"nom_brp", 1, 1024}, {"nom_tseg1", 1, 256},
                {"nom_tseg2", 1, 128}, {"nom_sjw", 1, 128}, {"data_brp", 1, 1024}, {"data_tseg1", 1, 32},
                {"data_tseg2", 1, 16}, {"data_sjw", 1, 16}, {"nom_sam", 0, 1}, {"data_ssp_offset", 0, 1024}};
    enum { KEYS = sizeof keys / sizeof *keys };
    uint32_t values[KEYS] = {0};
    int has[KEYS] = {0};
    char text[256], *rest = text;
    if (strlen(given) >= sizeof text || (hook("blank", 0) && !strstr(given, ", "))) return 0;
    snprintf(text, sizeof text, "%s", given);
    for (char *piece; (piece = strsep(&rest, ","));) {
        char *value = strchr(piece, '='), *end;
        if (!value) return 0;
        *value++ = 0;
        piece = trimmed(piece), value = trimmed(value);
        int at = 0;
        while (at < KEYS && strcmp(keys[at].key, piece)) at++;
        if (at == KEYS || has[at] || *value < '0' || *value > '9') return 0;
        values[at] = (uint32_t)strtoul(value, &end, 10);
        if (*end || values[at] < keys[at].low || values[at] > keys[at].high) return 0;
        has[at] = 1;
    }
    if (has[0] + has[1] != 1) return 0;
    uint32_t clock = has[0] ? values[0] : values[1] * 1000000;
    static const uint32_t clocks[] = {20, 24, 30, 40, 60, 80};
    int is_valid = 0, of_data = has[6] + has[7] + has[8] + has[9];
    for (int i = 0; i < 6; i++) is_valid |= clock == clocks[i] * 1000000;
    if (!is_valid || !(has[2] && has[3] && has[4] && has[5]) || (of_data && of_data != 4)) return 0;
    *nominal = clock / (values[2] * (1 + values[3] + values[4]));
    *data = of_data ? clock / (values[6] * (1 + values[7] + values[8])) : *nominal;
    return 1;
}

EXPORT uint32_t CAN_InitializeFD(uint16_t handle, const char *text) {
    int64_t told = 0;
    uint32_t nominal = 0, data = 0, result;
    if (told_to_fail("CAN_InitializeFD", &told)) result = (uint32_t)told;
    else if (!text || !parsed(text, &nominal, &data)) result = ILLPARAMVAL;
    else result = opened_channel(handle, 1, nominal, data, 0, text);
    called("CAN_InitializeFD ch=%x text=%s -> %x", handle, text ? text : "NULL", result);
    return result;
}

static void closed(Channel *channel) {
    if (__atomic_load_n(&channel->inside, __ATOMIC_SEQ_CST))
        violation("CAN_Uninitialize ch=%x while another thread uses the channel", channel->handle);
    if (channel->event) violation("CAN_Uninitialize ch=%x with an event that would be set later", channel->handle);
    channel->is_open = 0;
    channel->listen_only = 0;
    channel->event = 0;
    port_close(channel->port);
    opened(-1);
}

EXPORT uint32_t CAN_Uninitialize(uint16_t handle) {
    int64_t told = 0;
    uint32_t result = OK;
    pthread_mutex_lock(&lock);
    Channel *channel = found(handle);
    if (told_to_fail("CAN_Uninitialize", &told)) result = (uint32_t)told;
    else if (!handle) {
        violation("CAN_Uninitialize of all channels of the process");
        for (int i = 0; i < CHANNELS; i++)
            if (channels[i].is_open) closed(&channels[i]);
    } else if (!channel || !channel->is_open) {
        result = INITIALIZE;
        violation("CAN_Uninitialize ch=%x, which is closed", handle);
    } else {
        result = channel->unplugged ? ILLHW : OK;
        closed(channel);
    }
    pthread_mutex_unlock(&lock);
    called("CAN_Uninitialize ch=%x -> %x", handle, result);
    return result;
}

EXPORT uint32_t CAN_Reset(uint16_t handle) {
    int64_t told = 0;
    uint32_t result = OK;
    if (told_to_fail("CAN_Reset", &told)) result = (uint32_t)told;
    else {
        Channel *channel = entered(handle, &result);
        if (channel) {
            port_clear(channel->port);
            channel->written = 0;
            leave(channel, OK);
        }
    }
    called("CAN_Reset ch=%x -> %x", handle, result);
    return result;
}

EXPORT uint32_t CAN_GetStatus(uint16_t handle) {
    int64_t told = 0;
    uint32_t result = OK;
    if (told_to_fail("CAN_GetStatus", &told)) return (uint32_t)told;
    Channel *channel = entered(handle, &result);
    if (channel) result = leave(channel, channel->status);
    called("CAN_GetStatus ch=%x -> %x", handle, result);
    return result;
}

/* --- receiving ------------------------------------------------------------------------------------------- */

static int passes(const Channel *channel, const Record *record) {
    if (!channel->reception) return 0;
    if (record->kind == KIND_ERROR) return channel->errors != 0;
    if (record->kind == KIND_STATE) return channel->statuses != 0;
    if (record->kind != KIND_FRAME) return 1;
    if (record->flags & FLAG_REMOTE && !channel->remotes) return 0;
    const uint32_t *range = channel->ranges[record->flags & FLAG_EXTENDED];
    return channel->filter == 1 || (channel->filter == 2 && record->id >= range[0] && record->id <= range[1]);
}

/* Fill in a message; `code` is its LEN or DLC. Return the bus bits. */
static uint32_t filled(Channel *channel, const Record *record, uint32_t *id, uint8_t *type, uint8_t *code, uint8_t *data, size_t room) {
    uint32_t bits = (uint32_t)hook("bus_bits", 0);
    *id = record->id;
    if (record->kind == KIND_STATE) {
        for (int i = 0; i < 4; i++) data[i] = (uint8_t)(record->code >> (24 - 8 * i));
        *id = 0, *type = STATUS, *code = 4;
        channel->status = record->code & ANYBUS;
        return record->code & ANYBUS;
    }
    if (record->kind == KIND_ERROR) {
        *type = ERRFRAME, *code = 4;
        memcpy(data, record->data, 4);
        if (!record->length) *id = 8, data[0] = 1; /* a frame with another bit rate */
        return bits;
    }
    *type = (uint8_t)((record->flags & FLAG_REMOTE ? RTR : 0) | (record->flags & FLAG_EXTENDED ? EXTENDED : 0) |
                      (record->flags & FLAG_FD ? FD : 0) | (record->flags & FLAG_BRS ? BRS : 0) |
                      (record->flags & FLAG_ESI ? ESI : 0) | (record->flags & FLAG_ECHO ? ECHO : 0));
    *code = record->length;
    if (record->flags & FLAG_FD)
        for (*code = 0; LENGTHS[*code] < record->length;) ++*code;
    if (!(record->flags & FLAG_REMOTE)) memcpy(data, record->data, record->length < room ? record->length : room);
    return bits;
}

static uint64_t microseconds(const Record *record) {
    int64_t time = record->time_ns;
    if (hook("boot_time", 0)) {
        struct timespec real, boot;
        clock_gettime(CLOCK_REALTIME, &real);
        clock_gettime(CLOCK_MONOTONIC, &boot);
        time -= (int64_t)(real.tv_sec - boot.tv_sec) * 1000000000 + real.tv_nsec - boot.tv_nsec;
    }
    return (uint64_t)time / 1000;
}

/* Take the next record that passes; *result says why there is none. */
static int taken(Channel *channel, Record *record, uint32_t *result) {
    Port *port = &ports[channel->port];
    *result = QRCVEMPTY;
    while (port_take(channel->port, record)) {
        if (record->kind == KIND_OVERRUN) {
            *result = QOVERRUN;
            return 0;
        }
        if (!channel->is_fd && record->kind == KIND_FRAME && record->flags & FLAG_FD) continue; /* unreadable */
        if (passes(channel, record)) return 1;
    }
    if (port->overrun) {
        port->overrun = 0;
        *result = QOVERRUN;
    }
    return 0;
}

EXPORT uint32_t CAN_Read(uint16_t handle, TPCANMsg *message, TPCANTimestamp *time) {
    int64_t told = 0;
    uint32_t result = OK;
    if (told_to_fail("CAN_Read", &told)) return (uint32_t)told;
    Channel *channel = entered(handle, &result);
    if (!channel) return result;
    if (channel->is_fd) return leave(channel, ILLOPERATION);
    if (!message) return leave(channel, ILLPARAMVAL);
    Record record;
    if (!taken(channel, &record, &result)) return leave(channel, result);
    memset(message->DATA, 0, sizeof message->DATA);
    result = filled(channel, &record, &message->ID, &message->MSGTYPE, &message->LEN, message->DATA, 8);
    if (time) {
        uint64_t total = microseconds(&record);
        *time = (TPCANTimestamp){(uint32_t)(total / 1000), (uint16_t)(total / 1000 >> 32), (uint16_t)(total % 1000)};
    }
    return leave(channel, result);
}

EXPORT uint32_t CAN_ReadFD(uint16_t handle, TPCANMsgFD *message, uint64_t *time) {
    int64_t told = 0;
    uint32_t result = OK;
    if (told_to_fail("CAN_ReadFD", &told)) return (uint32_t)told;
    Channel *channel = entered(handle, &result);
    if (!channel) return result;
    if (!channel->is_fd) return leave(channel, ILLOPERATION);
    if (!message) return leave(channel, ILLPARAMVAL);
    Record record;
    if (!taken(channel, &record, &result)) return leave(channel, result);
    memset(message->DATA, 0, sizeof message->DATA);
    result = filled(channel, &record, &message->ID, &message->MSGTYPE, &message->DLC, message->DATA, 64);
    if (time) *time = microseconds(&record);
    return leave(channel, result);
}

EXPORT uint32_t CAN_FilterMessages(uint16_t handle, uint32_t from, uint32_t to, uint8_t mode) {
    int64_t told = 0;
    uint32_t result = OK, highest = mode == EXTENDED ? 0x1FFFFFFF : 0x7FF;
    if (told_to_fail("CAN_FilterMessages", &told)) result = (uint32_t)told;
    else {
        Channel *channel = entered(handle, &result);
        if (channel && ((mode && mode != EXTENDED) || from > to || to > highest)) result = leave(channel, ILLPARAMVAL);
        else if (channel) {
            uint32_t *range = channel->ranges[mode == EXTENDED];
            int is_first = range[0] > range[1];
            range[0] = is_first || from < range[0] ? from : range[0];
            range[1] = is_first || to > range[1] ? to : range[1];
            channel->filter = 2;
            leave(channel, OK);
        }
    }
    called("CAN_FilterMessages ch=%x from=%x to=%x mode=%x -> %x", handle, from, to, mode, result);
    return result;
}

/* --- sending --------------------------------------------------------------------------------------------- */

static uint32_t written(Channel *channel, uint32_t id, uint8_t type, uint8_t code, const uint8_t *data) {
    uint8_t length = type & FD ? LENGTHS[code & 15] : code;
    if (type & ~(RTR | EXTENDED | FD | BRS | ESI) || (type & (BRS | ESI) && !(type & FD)) || (type & FD && type & RTR) ||
        code > 15 || (!(type & FD) && code > 8) || (type & FD && !channel->is_fd) ||
        id > (type & EXTENDED ? 0x1FFFFFFFu : 0x7FFu)) {
        violation("a frame with id=%x type=%x length=%x", id, type, code);
        return ILLDATA;
    }
    if (channel->listen_only) return ILLOPERATION;
    if (channel->status & BUSOFF) return BUSOFF;
    int64_t depth = hook("tx_depth", -1);
    if (depth >= 0) {
        if (channel->written - hook("tx_drained", 0) >= depth) return QXMTFULL;
        channel->written++;
    }
    Record record = {.kind = KIND_FRAME, .id = id, .length = length};
    record.flags = (uint8_t)((type & RTR ? FLAG_REMOTE : 0) | (type & EXTENDED ? FLAG_EXTENDED : 0) |
                             (type & FD ? FLAG_FD : 0) | (type & BRS ? FLAG_BRS : 0) | (type & ESI ? FLAG_ESI : 0));
    if (!(type & RTR)) memcpy(record.data, data, length);
    record.time_ns = now_ns();
    port_send(channel->port, record);
    if (channel->echo) {
        record.flags |= FLAG_ECHO;
        port_put(&ports[channel->port], &record);
    }
    return channel->status;
}

EXPORT uint32_t CAN_Write(uint16_t handle, const TPCANMsg *message) {
    int64_t told = 0;
    uint32_t result = OK;
    if (told_to_fail("CAN_Write", &told)) return (uint32_t)told;
    Channel *channel = entered(handle, &result);
    if (!channel) return result;
    if (channel->is_fd) return leave(channel, ILLOPERATION);
    return leave(channel, written(channel, message->ID, message->MSGTYPE, message->LEN, message->DATA));
}

EXPORT uint32_t CAN_WriteFD(uint16_t handle, const TPCANMsgFD *message) {
    int64_t told = 0;
    uint32_t result = OK;
    if (told_to_fail("CAN_WriteFD", &told)) return (uint32_t)told;
    Channel *channel = entered(handle, &result);
    if (!channel) return result;
    if (!channel->is_fd) return leave(channel, ILLOPERATION);
    return leave(channel, written(channel, message->ID, message->MSGTYPE, message->DLC, message->DATA));
}

/* --- parameters ------------------------------------------------------------------------------------------ */

static uint32_t text_value(void *buffer, uint32_t size, const char *text) {
    if (size < 256) return ILLPARAMVAL;
    memset(buffer, 0, size);
    memcpy(buffer, text, strlen(text));
    return OK;
}

static uint32_t number_value(void *buffer, uint32_t size, uint64_t value, uint32_t least) {
    if (size < least) return ILLPARAMVAL;
    memset(buffer, 0, size);
    memcpy(buffer, &value, size < 8 ? size : 8);
    return OK;
}

static uint32_t of_library(uint8_t parameter, void *buffer, uint32_t size) {
    static const char *versions[] = {"4.7.0.3", "4, 5, 0, 68, PCAN-Basic", "4.1.9.9", "unknown", "0.8.0.1"};
    if (parameter == API_VERSION) return text_value(buffer, size, versions[hook("api", 0)]);
    if (!hook("attached", 1)) return ILLPARAMTYPE;
    uint32_t count = 0;
    for (int i = 0; i < CHANNELS; i++) count += !channels[i].unplugged;
    if (parameter == ATTACHED_CHANNELS_COUNT) return number_value(buffer, size, count, 4);
    if (parameter != ATTACHED_CHANNELS) return ILLPARAMTYPE;
    if (size < count * sizeof(TPCANChannelInformation)) return ILLPARAMVAL;
    TPCANChannelInformation *place = buffer;
    memset(buffer, 0, size);
    for (int i = 0; i < CHANNELS; i++) {
        const Channel *channel = &channels[i];
        if (channel->unplugged) continue;
        place->channel_handle = channel->handle;
        place->device_type = channel->type;
        place->controller_number = channel->controller;
        place->device_features = channel->features;
        snprintf(place->device_name, sizeof place->device_name, "%s", channel->name);
        place->device_id = channel->id;
        place->channel_condition = condition(channel);
        place++;
    }
    return OK;
}

static uint32_t of_channel(Channel *channel, uint8_t parameter, void *buffer, uint32_t size) {
    switch (parameter) { /* these need no open channel */
        case CHANNEL_CONDITION: return number_value(buffer, size, condition(channel), 4);
    }
    if (!channel || channel->unplugged) return ILLHW;
    switch (parameter) {
        case DEVICE_ID: return number_value(buffer, size, channel->id, 4);
        case CHANNEL_FEATURES: return number_value(buffer, size, channel->features, 4);
        case CONTROLLER_NUMBER: return number_value(buffer, size, channel->controller, 4);
        case HARDWARE_NAME: return text_value(buffer, size, channel->name);
        case LISTEN_ONLY: return number_value(buffer, size, channel->listen_only, 4);
        case FIRMWARE_VERSION: return text_value(buffer, size, "3.4.2");
        case DEVICE_PART_NUMBER: return text_value(buffer, size, "IPEH-004061");
        case CHANNEL_IDENTIFYING: return ILLPARAMTYPE;
    }
    if (!channel->is_open) return INITIALIZE;
    switch (parameter) {
        case RECEIVE_EVENT:
            if (!hook("event", 1) || hook("windows", 0)) return ILLPARAMTYPE;
            return number_value(buffer, size, (uint64_t)ports[channel->port].ready, 4);
        case MESSAGE_FILTER: return number_value(buffer, size, channel->filter, 4);
        case CHANNEL_VERSION: return text_value(buffer, size, "8.16.0 emulated");
        case BUSOFF_AUTORESET: return number_value(buffer, size, channel->auto_reset, 4);
        case RECEIVE_STATUS: return number_value(buffer, size, channel->reception, 4);
        case BITRATE_INFO: return channel->is_fd ? ILLPARAMTYPE : number_value(buffer, size, channel->btr, 4);
        case BITRATE_INFO_FD: return channel->is_fd ? text_value(buffer, size, channel->text) : ILLPARAMTYPE;
        case BUSSPEED_NOMINAL: return number_value(buffer, size, channel->nominal, 8);
        case BUSSPEED_DATA: return number_value(buffer, size, channel->data, 8);
        case ALLOW_STATUS_FRAMES: return number_value(buffer, size, channel->statuses, 4);
        case ALLOW_RTR_FRAMES: return number_value(buffer, size, channel->remotes, 4);
        case ALLOW_ERROR_FRAMES: return number_value(buffer, size, channel->errors, 4);
        case ALLOW_ECHO_FRAMES: return number_value(buffer, size, channel->echo, 4);
    }
    return ILLPARAMTYPE;
}

EXPORT uint32_t CAN_GetValue(uint16_t handle, uint8_t parameter, void *buffer, uint32_t size) {
    int64_t told = 0;
    uint32_t result;
    if (told_to_fail("CAN_GetValue", &told)) result = (uint32_t)told;
    else if (!buffer || !size) result = ILLPARAMVAL;
    else if (!hook("driver", 1) && parameter != API_VERSION) result = NODRIVER;
    else if (!handle) result = of_library(parameter, buffer, size);
    else result = is_known(handle) ? of_channel(found(handle), parameter, buffer, size) : ILLHW;
    called("CAN_GetValue ch=%x parameter=%x size=%u -> %x", handle, parameter, size, result);
    return result;
}

static uint32_t set(Channel *channel, uint8_t parameter, uint32_t value) {
    uint32_t *flag = NULL;
    switch (parameter) {
        case LISTEN_ONLY:
            if (value > 1) return ILLPARAMVAL;
            if (channel->is_open) port_clear(channel->port); /* the controller starts again */
            channel->listen_only = value;
            return OK;
        case CHANNEL_IDENTIFYING:
            if (value && hook("identify_ms", 0)) usleep((useconds_t)hook("identify_ms", 0) * 1000);
            return OK;
    }
    if (!channel->is_open) return INITIALIZE;
    switch (parameter) {
        case DEVICE_ID:
            if (!channel->features && value > 255) return ILLPARAMVAL;
            channel->id = value;
            return OK;
        case RECEIVE_EVENT: return ILLOPERATION; /* of Linux */
        case MESSAGE_FILTER:
            if (value > 1) return ILLPARAMVAL;
            set_filter(channel, value);
            return OK;
        case BUSOFF_AUTORESET: flag = hook("autoreset", 1) ? &channel->auto_reset : NULL; break;
        case RECEIVE_STATUS: flag = &channel->reception; break;
        case ALLOW_STATUS_FRAMES: flag = &channel->statuses; break;
        case ALLOW_RTR_FRAMES: flag = &channel->remotes; break;
        case ALLOW_ERROR_FRAMES: flag = hook("error_frames", 1) ? &channel->errors : NULL; break;
        case ALLOW_ECHO_FRAMES: flag = hook("echo", 1) ? &channel->echo : NULL; break;
    }
    if (!flag) return ILLPARAMTYPE;
    if (value > 1) return ILLPARAMVAL;
    *flag = value;
    return OK;
}

EXPORT uint32_t CAN_SetValue(uint16_t handle, uint8_t parameter, void *buffer, uint32_t size) {
    int64_t told = 0;
    uint32_t result = OK, value = 0;
    Channel *channel = found(handle);
    if (buffer && size >= 4) memcpy(&value, buffer, 4);
    if (told_to_fail("CAN_SetValue", &told)) result = (uint32_t)told;
    else if (!buffer || size < 4) result = ILLPARAMVAL;
    else if (!hook("driver", 1)) result = NODRIVER;
    else if (!channel || channel->unplugged) result = ILLHW;
    else if (parameter == RECEIVE_EVENT && channel->is_open && hook("windows", 0)) {
        if (!hook("event", 1)) result = ILLPARAMTYPE;
        else if (size != sizeof(void *)) result = ILLPARAMVAL;
        else memcpy(&channel->event, buffer, 8);
    } else {
        __atomic_add_fetch(&channel->inside, 1, __ATOMIC_SEQ_CST);
        result = leave(channel, set(channel, parameter, value));
    }
    called("CAN_SetValue ch=%x parameter=%x value=%x size=%u -> %x", handle, parameter, value, size, result);
    return result;
}

EXPORT uint32_t CAN_GetErrorText(uint32_t code, uint16_t language, char *buffer) {
    static const struct {
        uint32_t code;
        const char *text;
    } texts[] = {{0, "No error"}, {0x1, "The transmit buffer is full"}, {0x2, "The controller was read too late"},
                 {0x4, "The bus is light"}, {0x8, "The bus is heavy"}, {0x10, "The controller is bus-off"},
                 {0x20, "The receive queue is empty"}, {0x40, "The receive queue overran"},
                 {0x80, "The transmit queue is full"}, {0x100, "The register test failed"},
                 {0x200, "The driver is not loaded"}, {0x400, "The hardware is in use"},
                 {0x800, "The net is in use"}, {0x1400, "The hardware is invalid"}, {0x1800, "The net is invalid"},
                 {0x1C00, "The client is invalid"}, {0x2000, "A resource is missing"},
                 {0x4000, "The parameter is invalid"}, {0x8000, "The value is invalid"}, {0x10000, "Unknown error"},
                 {0x20000, "The data is invalid"}, {0x40000, "The controller is error-passive"},
                 {0x2000000, "Done with \xFC irregularities"}, {0x4000000, "The channel is not initialised"},
                 {0x8000000, "The operation is invalid"}};
    int64_t told = 0;
    if (told_to_fail("CAN_GetErrorText", &told)) return (uint32_t)told;
    int is_language = !language || language == 7 || language == 9 || language == 10 || language == 12 || language == 16;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].code == code && is_language && buffer) {
            memset(buffer, 0, 256);
            snprintf(buffer, 256, "%s%s", language == 9 ? "" : "? ", texts[i].text);
            return OK;
        }
    return ILLPARAMVAL;
}

#ifndef NO_LOOKUP
EXPORT uint32_t CAN_LookUpChannel(const char *query, uint16_t *handle) {
    int64_t told = 0;
    uint32_t result = OK;
    char text[256], *rest = text;
    if (!handle || !query || strlen(query) >= sizeof text) return ILLPARAMVAL;
    *handle = 0;
    snprintf(text, sizeof text, "%s", query);
    if (told_to_fail("CAN_LookUpChannel", &told)) result = (uint32_t)told;
    else {
        int64_t wanted[3] = {-1, -1, -1}; /* of type, identifier, controller */
        for (char *piece; (piece = strsep(&rest, ","));) {
            static const char *keys[] = {"devicetype", "deviceid", "controllernumber"};
            char *value = strchr(piece, '=');
            int at = 0;
            if (!value) return ILLPARAMVAL;
            *value++ = 0;
            while (at < 3 && strcmp(keys[at], trimmed(piece))) at++;
            if (at == 3) return ILLPARAMVAL;
            wanted[at] = (int64_t)strtoul(trimmed(value), NULL, 0);
        }
        for (int i = 0; i < CHANNELS && !*handle; i++) {
            const Channel *channel = &channels[i];
            if (!channel->unplugged && (wanted[0] < 0 || wanted[0] == channel->type) &&
                (wanted[1] < 0 || wanted[1] == channel->id) && (wanted[2] < 0 || wanted[2] == channel->controller))
                *handle = channel->handle;
        }
    }
    called("CAN_LookUpChannel query=%s -> %x %x", query, *handle, result);
    return result;
}
#endif

/* --- for tests ------------------------------------------------------------------------------------------- */

static void library_reset(void) {
    for (int i = 0; i < CHANNELS; i++) {
        Channel *channel = &channels[i];
        if (channel->is_open) closed(channel);
        channel->unplugged = 0;
        channel->listen_only = 0;
        channel->id = channel->factory_id;
    }
}

__attribute__((constructor)) static void prepared(void) { library_reset(); }

static int64_t library_layout(const char *structure, const char *field) {
    LAYOUT(TPCANMsg) FIELD(TPCANMsg, ID) FIELD(TPCANMsg, MSGTYPE) FIELD(TPCANMsg, LEN) FIELD(TPCANMsg, DATA)
    LAYOUT(TPCANTimestamp) FIELD(TPCANTimestamp, millis) FIELD(TPCANTimestamp, millis_overflow)
    FIELD(TPCANTimestamp, micros)
    LAYOUT(TPCANMsgFD) FIELD(TPCANMsgFD, ID) FIELD(TPCANMsgFD, MSGTYPE) FIELD(TPCANMsgFD, DLC) FIELD(TPCANMsgFD, DATA)
    LAYOUT(TPCANChannelInformation) FIELD(TPCANChannelInformation, channel_handle)
    FIELD(TPCANChannelInformation, device_type) FIELD(TPCANChannelInformation, controller_number)
    FIELD(TPCANChannelInformation, device_features) FIELD(TPCANChannelInformation, device_name)
    FIELD(TPCANChannelInformation, device_id) FIELD(TPCANChannelInformation, channel_condition)
    return -1;
}

static int library_inject(int32_t handle, const Record *given) {
    Channel *channel = found((uint16_t)handle);
    if (!channel || !channel->is_open) return -1;
    Record record = *given;
    if (!record.time_ns) record.time_ns = now_ns();
    port_put(&ports[channel->port], &record);
    if (record.kind == KIND_STATE) channel->status = record.code & ANYBUS;
    if (record.kind == KIND_STATE && record.code & BUSOFF && channel->auto_reset) {
        record.code = OK; /* the controller comes back by itself */
        port_put(&ports[channel->port], &record);
        channel->status = OK;
    }
    return 0;
}

static void library_unplug(int32_t handle) {
    for (int i = 0; i < CHANNELS; i++) {
        Channel *channel = &channels[i];
        if (handle != -1 && channel->handle != handle) continue;
        channel->unplugged = 1;
        if (channel->is_open) (void)!write(ports[channel->port].ready, &(uint64_t){1}, 8);
    }
}
