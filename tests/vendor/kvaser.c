/* An emulated libcanlib.so: Kvaser's CANlib on the wires of stub.h.
 *
 * Two channels of a device with CAN FD, then two virtual ones; all are on one wire. A handle has a queue of its own and
 * hears the other handles of its channel if its local echo is on, in this process and in others. Read from the tables of
 * canlib.h and canstat.h 5.49, and the answers of the Linux library where those of Windows are not documented.
 *
 * Hooks: channels; acknowledged (0: frames stay in the transmit queue); tx_depth; rx_depth; timer (ticks of 10 us at the
 * next bus on); bus_load; acceptance_filter (1: canSetAcceptanceFilter works, as on Windows); leds (0: not implemented);
 * object_buffers (0: not implemented); raw_handle (0: not implemented); local_txack_length (1: as before version 5);
 * names (0: no DEVNAME_ASCII; 2: descriptions that are not ASCII); tx_errors, rx_errors, overruns.
 * Orders to fail: the name of a function, and canIoCtl:NUMBER, canGetChannelData:ITEM.
 * Records to inject: KIND_STATE sets the status bits, KIND_OVERRUN the overrun flags, KIND_ERROR the error flags to code.
 */
#include "stub.h"

typedef struct {
    unsigned long stdData, stdRemote, extData, extRemote, errFrame, busLoad, overruns;
} canBusStatistics;
typedef struct {
    int tq, phase1, phase2, sjw, prop, prescaler;
} kvBusParamsTq;
_Static_assert(sizeof(canBusStatistics) == 7 * sizeof(long), "canBusStatistics");
_Static_assert(offsetof(canBusStatistics, overruns) == 6 * sizeof(long), "overruns");
_Static_assert(sizeof(kvBusParamsTq) == 24, "kvBusParamsTq");

enum {
    OK = 0, PARAM = -1, NOMSG = -2, NOTFOUND = -3, NOCHANNELS = -5, INTERRUPTED = -6, TIMEOUT = -7, NOTINITIALIZED = -8,
    NOHANDLES = -9, INVHANDLE = -10, TXBUFOFL = -13, NOT_SUPPORTED = -19, NO_ACCESS = -31, NOT_IMPLEMENTED = -32,
    BUFFER_TOO_SMALL = -43,
};
enum {
    OPEN_EXCLUSIVE = 0x8, OPEN_REQUIRE_EXTENDED = 0x10, OPEN_ACCEPT_VIRTUAL = 0x20, OPEN_OVERRIDE_EXCLUSIVE = 0x40,
    OPEN_REQUIRE_INIT_ACCESS = 0x80, OPEN_NO_INIT_ACCESS = 0x100, OPEN_ACCEPT_LARGE_DLC = 0x200, OPEN_CAN_FD = 0x400,
    OPEN_CAN_FD_NONISO = 0x800, OPEN_ALL = 0xFF8,
};
enum {
    RTR = 0x1, STD = 0x2, EXT = 0x4, WAKEUP = 0x8, ERROR_FRAME = 0x20, TXACK = 0x40, TXRQ = 0x80, DELAY_MSG = 0x100,
    HW_OVERRUN = 0x200, SW_OVERRUN = 0x400, BUS_ERRORS = 0xF800, FDF = 0x10000, BRS = 0x20000, ESI = 0x40000,
    SINGLE_SHOT = 0x1000000, LOCAL_TXACK = 0x10000000,
};
enum { SILENT = 1, NORMAL = 4, SELFRECEPTION = 8 };
enum { CAP_STATISTICS = 0x2, CAP_COUNTERS = 0x4, CAP_VIRTUAL = 0x10000, CAP_FD = 0x80000, CAP_NONISO = 0x100000,
       CAP_SILENT = 0x200000 };

#define MAX_CHANNELS 8
#define MAX_HANDLES 48
#define MAX_PENDING 4096
#define MAX_BUFFERS 8
#define FROM_CHANNEL 0x42560000u /* in the code of a frame, with the channel that sent it */
#define BUS_NAME "kvaser"

typedef struct {
    int used, enabled, has_message, stop;
    uint32_t period_us, messages;
    Record record;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
} Buffer;

typedef struct {
    int id; /* 0: free */
    int channel, flags, on_bus, port, has_init_access, reports_access, is_fd, inside;
    int txack, local_echo, local_ack, chip_requested, statistics_requested;
    uint32_t scale, overrun;
    uint32_t code[2], mask[2]; /* of standard and extended identifiers */
    Record pending[MAX_PENDING];
    uint32_t pending_count;
    Buffer buffers[MAX_BUFFERS];
} Handle;

typedef struct {
    int has_params, has_data_params, mode;
    long bitrate, data_bitrate;
    unsigned tseg1, tseg2, sjw, samples, data_tseg1, data_tseg2, data_sjw;
    unsigned long status;
    int64_t start_ns; /* of the timer */
    canBusStatistics counted;
} Channel;

static Handle *handles[MAX_HANDLES];
static Channel channels[MAX_CHANNELS];
static int initialized, last_id, unplugged;
static pthread_mutex_t state_lock = PTHREAD_MUTEX_INITIALIZER;

static int channel_count(void) { return (int)hook("channels", 4); }
static int is_virtual(int channel) { return channel >= 2; }

static uint32_t capabilities(int channel) {
    uint32_t all = CAP_STATISTICS | CAP_COUNTERS | CAP_SILENT;
    if (is_virtual(channel)) return all | CAP_VIRTUAL;
    return all | (hook("fd", 1) ? CAP_FD | CAP_NONISO : 0);
}

/* Each function asks for its orders, and for the library to be initialized, before anything else. */
#define ORDERED(name)                                    \
    do {                                                 \
        int64_t ordered;                                 \
        if (told_to_fail(name, &ordered)) return (int)ordered; \
        if (!initialized) {                              \
            violation(name " before canInitializeLibrary"); \
            return NOTINITIALIZED;                       \
        }                                                \
    } while (0)

static Handle *found(int id) {
    Handle *handle = id > 0 ? handles[id % MAX_HANDLES] : NULL;
    return handle && handle->id == id ? handle : NULL;
}

/* Windows allows one thread at a time within a handle. */
static void entered(Handle **handle) {
    if (*handle) __atomic_sub_fetch(&(*handle)->inside, 1, __ATOMIC_RELAXED);
}
#define HANDLE(name, number)                                                         \
    ORDERED(name);                                                                   \
    __attribute__((cleanup(entered))) Handle *handle = found(number);                \
    if (!handle) {                                                                   \
        violation(name " with the handle %d, which is not open", number);            \
        return INVHANDLE;                                                            \
    }                                                                                \
    if (__atomic_add_fetch(&handle->inside, 1, __ATOMIC_RELAXED) > 1)                \
        violation(name ": two threads use the handle %d at once", number);           \
    if (unplugged && strcmp(name, "canClose") && strncmp(name, "canRead", 7)) return NOTFOUND

/* --- the library ----------------------------------------------------------------------------------------- */

EXPORT void canInitializeLibrary(void) {
    called("canInitializeLibrary");
    initialized = 1;
}

static void release(Handle *handle);

EXPORT int canUnloadLibrary(void) {
    ORDERED("canUnloadLibrary");
    for (int i = 0; i < MAX_HANDLES; i++)
        if (handles[i]) {
            violation("canUnloadLibrary with the handle %d open", handles[i]->id);
            release(handles[i]);
        }
    initialized = 0;
    return OK;
}

EXPORT int canEnumHardwareEx(int *count) {
    ORDERED("canEnumHardwareEx");
    called("canEnumHardwareEx");
    if (!count) return PARAM;
    *count = channel_count();
    return OK;
}

EXPORT int canGetNumberOfChannels(int *count) {
    ORDERED("canGetNumberOfChannels");
    called("canGetNumberOfChannels");
    if (!count) return PARAM;
    *count = unplugged ? 0 : channel_count();
    return OK;
}

EXPORT unsigned short canGetVersion(void) { return 5 << 8 | 49; }
EXPORT unsigned canGetVersionEx(unsigned item) { return item < 2 ? 5 << 8 | 49 : 0; }

EXPORT int canGetErrorText(int code, char *buffer, unsigned size) {
    int64_t ordered;
    if (told_to_fail("canGetErrorText", &ordered)) return (int)ordered;
    static const struct { int code; const char *text; } texts[] = {
        {OK, "No error"}, {PARAM, "Error in parameter"}, {NOMSG, "No messages available"},
        {NOTFOUND, "Specified device not found"}, {NOCHANNELS, "No channels available"}, {TIMEOUT, "Timeout ocurred"},
        {INVHANDLE, "Handle is invalid"}, {TXBUFOFL, "Transmit buffer overflow"}, {-15, "A hardware error was detected"},
        {NOT_SUPPORTED, "Operation not supported by hardware"}, {NO_ACCESS, "No access"},
        {NOT_IMPLEMENTED, "Not implemented"},
    };
    if (!buffer || !size) return PARAM;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].code == code) {
            snprintf(buffer, size, "%s", texts[i].text);
            return OK;
        }
    return PARAM;
}

static int number_out(void *buffer, size_t size, uint64_t value, size_t wanted) {
    if (size < wanted) return PARAM;
    memcpy(buffer, &value, wanted);
    return OK;
}

static int text_out(void *buffer, size_t size, const char *text) {
    if (strlen(text) >= size) return BUFFER_TOO_SMALL;
    strcpy(buffer, text);
    return OK;
}

EXPORT int canGetChannelData(int channel, int item, void *buffer, size_t size) {
    ORDERED("canGetChannelData");
    char name[32];
    int64_t ordered;
    snprintf(name, sizeof name, "canGetChannelData:%d", item);
    if (told_to_fail(name, &ordered)) return (int)ordered;
    called("canGetChannelData channel=%d item=%d", channel, item);
    if (channel < 0 || channel >= channel_count() || unplugged) return NOTFOUND;
    if (!buffer || !size) return PARAM;
    int virtual = is_virtual(channel);
    switch (item) {
    case 1: return number_out(buffer, size, capabilities(channel), 4);
    case 3: return number_out(buffer, size, 0, 4);
    case 4: return number_out(buffer, size, virtual ? 1 : 62, 4);
    case 5: return number_out(buffer, size, (uint64_t)virtual, 4);
    case 6: return number_out(buffer, size, (uint64_t)(channel % 2), 4);
    case 7: return number_out(buffer, size, virtual ? 0 : 12345, 8);
    case 9: return number_out(buffer, size, 0x0003001100000208, 8);
    case 11: return number_out(buffer, size, 0x7330130013068, 8);
    case 13: return text_out(buffer, size, virtual ? "Kvaser Virtual CAN (channel 0)" : "Kvaser USBcan Pro 2xHS v2 (channel 0)");
    case 17: return number_out(buffer, size, 0, 4);
    case 24: return text_out(buffer, size, "Kvaser AB");
    case 26:
        if (hook("names", 1) == 2) return text_out(buffer, size, "Kvaser Ger\xe4t");
        return text_out(buffer, size, virtual ? "Kvaser Virtual CAN Driver" : "Kvaser USBcan Pro 2xHS v2 (01306-8)");
    case 27: return text_out(buffer, size, virtual ? "kvvirtualcan" : "mhydra");
    case 31:
        if (hook("names", 1) != 1) return NOT_IMPLEMENTED;
        return text_out(buffer, size, virtual ? "Kvaser Virtual CAN" : "Kvaser USBcan Pro 2xHS v2");
    case 37: return number_out(buffer, size, 1000000, 4);
    case 39: return text_out(buffer, size, "");
    case 47:
        if (size < 16) return PARAM;
        memset(buffer, 0, 16);
        return number_out(buffer, size, capabilities(channel), 8);
    default: return PARAM;
    }
}

/* --- handles --------------------------------------------------------------------------------------------- */

EXPORT int canOpenChannel(int channel, int flags) {
    ORDERED("canOpenChannel");
    called("canOpenChannel channel=%d flags=0x%x", channel, (unsigned)flags);
    if (channel < 0 || channel >= channel_count() || unplugged) return NOTFOUND;
    if (flags & ~OPEN_ALL) return PARAM;
    if (is_virtual(channel) && !(flags & OPEN_ACCEPT_VIRTUAL)) return NOTFOUND;
    int is_fd = flags & (OPEN_CAN_FD | OPEN_CAN_FD_NONISO);
    if (is_fd && !(capabilities(channel) & CAP_FD)) return NOT_SUPPORTED;
    pthread_mutex_lock(&state_lock);
    int has_owner = 0, is_exclusive = 0, is_shared = 0;
    for (int i = 0; i < MAX_HANDLES; i++)
        if (handles[i] && handles[i]->channel == channel) {
            is_shared = 1;
            has_owner |= handles[i]->has_init_access;
            is_exclusive |= handles[i]->flags & OPEN_EXCLUSIVE;
        }
    int status = OK;
    if ((is_exclusive || (is_shared && flags & OPEN_EXCLUSIVE)) && !(flags & OPEN_OVERRIDE_EXCLUSIVE)) status = NOCHANNELS;
    if (has_owner && flags & OPEN_REQUIRE_INIT_ACCESS) status = NO_ACCESS;
    int id = last_id;
    for (int tries = 0; tries < MAX_HANDLES; tries++)
        if (!handles[++id % MAX_HANDLES]) break;
    if (handles[id % MAX_HANDLES]) status = NOHANDLES;
    if (status == OK) {
        Handle *handle = calloc(1, sizeof *handle);
        handle->port = port_open(BUS_NAME, (uint32_t)hook("rx_depth", MAX_DEPTH), 0, 0);
        if (handle->port < 0) {
            free(handle);
            status = NOHANDLES;
        } else {
            handle->id = last_id = status = id;
            handle->channel = channel;
            handle->flags = flags;
            handle->is_fd = is_fd != 0;
            handle->has_init_access = !has_owner && !(flags & OPEN_NO_INIT_ACCESS);
            handle->local_echo = 1;
            handle->scale = 1000;
            handles[id % MAX_HANDLES] = handle;
            if (!is_shared) {
                int64_t start = channels[channel].start_ns;
                memset(&channels[channel], 0, sizeof *channels);
                channels[channel] = (Channel){.bitrate = 500000, .data_bitrate = 500000, .tseg1 = 5, .tseg2 = 2, .sjw = 1,
                                              .mode = NORMAL, .status = 0x8, .start_ns = start ? start : now_ns()};
            }
            opened(1);
        }
    }
    pthread_mutex_unlock(&state_lock);
    return status;
}

/* Kvaser's own wrapper reads the kind of a handle. */
EXPORT int canGetHandleData(int number, int item, void *buffer, size_t size) {
    HANDLE("canGetHandleData", number);
    if (item != 3) return canGetChannelData(handle->channel, item, buffer, size);
    return number_out(buffer, buffer ? size : 0, 2 | (handle->is_fd ? 4 : 0), 4);
}

static void buffer_end(Buffer *buffer) {
    if (!buffer->used) return;
    pthread_mutex_lock(&buffer->lock);
    buffer->stop = 1;
    pthread_cond_broadcast(&buffer->changed);
    pthread_mutex_unlock(&buffer->lock);
    pthread_join(buffer->thread, NULL);
    pthread_mutex_destroy(&buffer->lock);
    pthread_cond_destroy(&buffer->changed);
    buffer->used = 0;
    opened(-1);
}

static void release(Handle *handle) {
    for (int i = 0; i < MAX_BUFFERS; i++) buffer_end(&handle->buffers[i]);
    port_close(handle->port);
    pthread_mutex_lock(&state_lock);
    handles[handle->id % MAX_HANDLES] = NULL;
    pthread_mutex_unlock(&state_lock);
    free(handle);
    opened(-1);
}

EXPORT int canClose(int number) {
    HANDLE("canClose", number);
    called("canClose handle=%d", number);
    if (handle->on_bus && !unplugged) violation("canClose with the handle %d on bus", number);
    if (handle->inside > 1) violation("canClose with a thread within the handle %d", number);
    Handle *closing = handle;
    handle = NULL;
    release(closing);
    return OK;
}

static int others_on_bus(const Handle *handle) {
    int count = 0;
    for (int i = 0; i < MAX_HANDLES; i++)
        count += handles[i] && handles[i] != handle && handles[i]->channel == handle->channel && handles[i]->on_bus;
    return count;
}

EXPORT int canBusOn(int number) {
    HANDLE("canBusOn", number);
    called("canBusOn handle=%d", number);
    Channel *channel = &channels[handle->channel];
    if (handle->has_init_access && !channel->has_params) violation("canBusOn before canSetBusParams");
    if (handle->is_fd && handle->has_init_access && !channel->has_data_params) violation("canBusOn before canSetBusParamsFd");
    if (handle->on_bus) return OK;
    if (!others_on_bus(handle)) {
        channel->start_ns = now_ns() - hook("timer", 0) * 10000;
        channel->status = 0x8;
    }
    ports[handle->port].bitrate = (uint32_t)channel->bitrate;
    ports[handle->port].data_bitrate = handle->is_fd ? (uint32_t)channel->data_bitrate : 0;
    port_clear(handle->port);
    handle->overrun = 0;
    handle->on_bus = 1;
    return OK;
}

EXPORT int canBusOff(int number) {
    HANDLE("canBusOff", number);
    called("canBusOff handle=%d", number);
    handle->on_bus = 0;
    handle->pending_count = 0;
    return OK;
}

EXPORT int canResetBus(int number) {
    HANDLE("canResetBus", number);
    called("canResetBus handle=%d", number);
    if (handle->on_bus) {
        handle->on_bus = 0;
        handle->pending_count = 0;
        channels[handle->channel].status = 0x8;
        handle->on_bus = 1;
    }
    return OK;
}

/* Return whether a handle may change its channel; *status is the answer if not. */
static int may_change(const Handle *handle, int *status) {
    *status = handle->reports_access ? NO_ACCESS : OK;
    return handle->has_init_access;
}

static const struct { long code, bitrate; unsigned tseg1, tseg2, sjw; int is_fd; } presets[] = {
    {-1, 1000000, 5, 2, 1, 0}, {-2, 500000, 5, 2, 1, 0}, {-3, 250000, 5, 2, 1, 0}, {-4, 125000, 11, 4, 1, 0},
    {-5, 100000, 11, 4, 1, 0}, {-6, 62500, 11, 4, 1, 0}, {-7, 50000, 11, 4, 1, 0}, {-8, 83333, 5, 2, 2, 0},
    {-9, 10000, 11, 4, 1, 0}, {-1000, 500000, 63, 16, 16, 1}, {-1001, 1000000, 31, 8, 8, 1},
    {-1002, 2000000, 15, 4, 4, 1}, {-1003, 4000000, 7, 2, 2, 1}, {-1004, 8000000, 2, 2, 1, 1},
    {-1005, 8000000, 7, 2, 1, 1}, {-1006, 8000000, 6, 3, 1, 1}, {-1007, 2000000, 11, 8, 4, 1},
};

/* Replace a preset by its values; return whether the values are possible. */
static int translate(const Handle *handle, long *bitrate, unsigned *tseg1, unsigned *tseg2, unsigned *sjw) {
    if (*bitrate < 0) {
        for (size_t i = 0; i < sizeof presets / sizeof *presets; i++)
            if (presets[i].code == *bitrate && (handle->is_fd || !presets[i].is_fd)) {
                *bitrate = presets[i].bitrate;
                *tseg1 = presets[i].tseg1;
                *tseg2 = presets[i].tseg2;
                *sjw = presets[i].sjw;
                return 1;
            }
        return 0;
    }
    unsigned limit1 = handle->is_fd ? 255 : 16, limit2 = handle->is_fd ? 32 : 8, limit_sjw = handle->is_fd ? 16 : 4;
    return *bitrate > 0 && *bitrate <= (handle->is_fd ? 8000000 : 1000000) && *tseg1 >= 1 && *tseg1 <= limit1 &&
           *tseg2 >= 1 && *tseg2 <= limit2 && *sjw >= 1 && *sjw <= limit_sjw;
}

EXPORT int canSetBusParams(int number, long bitrate, unsigned tseg1, unsigned tseg2, unsigned sjw, unsigned samples, unsigned sync) {
    HANDLE("canSetBusParams", number);
    called("canSetBusParams handle=%d freq=%ld tseg1=%u tseg2=%u sjw=%u samples=%u", number, bitrate, tseg1, tseg2, sjw, samples);
    int status;
    if (!may_change(handle, &status)) return status;
    if (sync || (samples > 1 && samples != 3)) return PARAM;
    if (!translate(handle, &bitrate, &tseg1, &tseg2, &sjw)) return PARAM;
    if (handle->on_bus) violation("canSetBusParams on bus");
    Channel *channel = &channels[handle->channel];
    channel->bitrate = bitrate;
    channel->tseg1 = tseg1, channel->tseg2 = tseg2, channel->sjw = sjw, channel->samples = samples;
    channel->has_params = 1;
    return OK;
}

EXPORT int canSetBusParamsFd(int number, long bitrate, unsigned tseg1, unsigned tseg2, unsigned sjw) {
    HANDLE("canSetBusParamsFd", number);
    called("canSetBusParamsFd handle=%d freq=%ld tseg1=%u tseg2=%u sjw=%u", number, bitrate, tseg1, tseg2, sjw);
    int status;
    if (!may_change(handle, &status)) return status;
    if (!handle->is_fd) return PARAM;
    if (!translate(handle, &bitrate, &tseg1, &tseg2, &sjw)) return PARAM;
    Channel *channel = &channels[handle->channel];
    channel->data_bitrate = bitrate;
    channel->data_tseg1 = tseg1, channel->data_tseg2 = tseg2, channel->data_sjw = sjw;
    channel->has_data_params = 1;
    return OK;
}

EXPORT int canSetBusParamsC200(int number, unsigned char btr0, unsigned char btr1) {
    HANDLE("canSetBusParamsC200", number);
    called("canSetBusParamsC200 handle=%d btr0=%x btr1=%x", number, btr0, btr1);
    int status;
    if (!may_change(handle, &status)) return status;
    Channel *channel = &channels[handle->channel];
    channel->tseg1 = (btr1 & 15) + 1u, channel->tseg2 = (btr1 >> 4 & 7) + 1u, channel->sjw = (btr0 >> 6) + 1u;
    channel->samples = btr1 & 0x80 ? 3 : 1;
    channel->bitrate = 8000000 / ((btr0 & 63) + 1) / (1 + (long)channel->tseg1 + (long)channel->tseg2);
    channel->has_params = 1;
    return OK;
}

EXPORT int canSetBusParamsTq(int number, kvBusParamsTq nominal) {
    HANDLE("canSetBusParamsTq", number);
    int status;
    if (!may_change(handle, &status)) return status;
    if (nominal.tq < 1 || nominal.prescaler < 1 || nominal.tq != 1 + nominal.prop + nominal.phase1 + nominal.phase2) return PARAM;
    channels[handle->channel].bitrate = 80000000 / nominal.prescaler / nominal.tq;
    channels[handle->channel].has_params = 1;
    return OK;
}

EXPORT int canSetBusParamsFdTq(int number, kvBusParamsTq nominal, kvBusParamsTq data) {
    HANDLE("canSetBusParamsFdTq", number);
    int status;
    if (!may_change(handle, &status)) return status;
    if (!handle->is_fd || nominal.tq < 1 || data.tq < 1 || nominal.prescaler < 1 || data.prescaler < 1) return PARAM;
    Channel *channel = &channels[handle->channel];
    channel->bitrate = 80000000 / nominal.prescaler / nominal.tq;
    channel->data_bitrate = 80000000 / data.prescaler / data.tq;
    channel->has_params = channel->has_data_params = 1;
    return OK;
}

EXPORT int canGetBusParams(int number, long *bitrate, unsigned *tseg1, unsigned *tseg2, unsigned *sjw, unsigned *samples, unsigned *sync) {
    HANDLE("canGetBusParams", number);
    const Channel *channel = &channels[handle->channel];
    if (!bitrate || !tseg1 || !tseg2 || !sjw || !samples || !sync) return PARAM;
    *bitrate = channel->bitrate;
    *tseg1 = channel->tseg1, *tseg2 = channel->tseg2, *sjw = channel->sjw;
    *samples = channel->samples, *sync = 0;
    return OK;
}

EXPORT int canGetBusParamsFd(int number, long *bitrate, unsigned *tseg1, unsigned *tseg2, unsigned *sjw) {
    HANDLE("canGetBusParamsFd", number);
    if (!handle->is_fd) return PARAM;
    const Channel *channel = &channels[handle->channel];
    if (!bitrate || !tseg1 || !tseg2 || !sjw) return PARAM;
    *bitrate = channel->data_bitrate;
    *tseg1 = channel->data_tseg1, *tseg2 = channel->data_tseg2, *sjw = channel->data_sjw;
    return OK;
}

EXPORT int canSetBusOutputControl(int number, unsigned mode) {
    HANDLE("canSetBusOutputControl", number);
    called("canSetBusOutputControl handle=%d mode=%u", number, mode);
    int status;
    if (!may_change(handle, &status)) return status;
    if (mode != 0 && mode != SILENT && mode != NORMAL && mode != SELFRECEPTION) return PARAM;
    channels[handle->channel].mode = (int)mode;
    return OK;
}

EXPORT int canGetBusOutputControl(int number, unsigned *mode) {
    HANDLE("canGetBusOutputControl", number);
    if (!mode) return PARAM;
    *mode = (unsigned)channels[handle->channel].mode;
    return OK;
}

EXPORT int canAccept(int number, long value, unsigned flag) {
    HANDLE("canAccept", number);
    called("canAccept handle=%d value=0x%lx flag=%u", number, (unsigned long)value, flag);
    if (flag < 3 || flag > 6 || value < 0 || value > (flag < 5 ? 0x7FF : 0x1FFFFFFF)) return PARAM;
    if (flag % 2) handle->code[flag / 2 - 1] = (uint32_t)value;
    else handle->mask[flag / 2 - 2] = (uint32_t)value;
    return OK;
}

EXPORT int canSetAcceptanceFilter(int number, unsigned code, unsigned mask, int is_extended) {
    HANDLE("canSetAcceptanceFilter", number);
    called("canSetAcceptanceFilter handle=%d code=0x%x mask=0x%x is_extended=%d", number, code, mask, is_extended);
    if (!hook("acceptance_filter", 0)) return NOT_IMPLEMENTED;
    handle->code[is_extended != 0] = code;
    handle->mask[is_extended != 0] = mask;
    return OK;
}

/* --- sending --------------------------------------------------------------------------------------------- */

static void transmit(Handle *handle, Record record) {
    Channel *channel = &channels[handle->channel];
    record.code = FROM_CHANNEL | (uint32_t)handle->channel;
    record.time_ns = now_ns();
    port_send(handle->port, record);
    unsigned long *counts[] = {&channel->counted.stdData, &channel->counted.extData, &channel->counted.stdRemote, &channel->counted.extRemote};
    __atomic_add_fetch(counts[(record.flags & FLAG_EXTENDED ? 1 : 0) + (record.flags & FLAG_REMOTE ? 2 : 0)], 1, __ATOMIC_RELAXED);
    if (handle->txack) {
        record.flags |= FLAG_ECHO;
        port_put(&ports[handle->port], &record);
    }
}

/* Send what waits, if the bus acknowledges now. */
static void flush(Handle *handle) {
    const Channel *channel = &channels[handle->channel];
    if (!hook("acknowledged", 1) || channel->mode != NORMAL || channel->status & 2) return;
    for (uint32_t i = 0; i < handle->pending_count; i++) transmit(handle, handle->pending[i]);
    handle->pending_count = 0;
}

/* Fill a record from the arguments of canWrite; return a status. */
static int checked(const Handle *handle, long id, const void *data, unsigned length, unsigned flags, Record *record) {
    if (flags & ~(unsigned)(RTR | STD | EXT | WAKEUP | ERROR_FRAME | DELAY_MSG | SINGLE_SHOT | FDF | BRS)) return PARAM;
    if (flags & SINGLE_SHOT) return NOT_SUPPORTED;
    int is_extended = flags & EXT && !(flags & STD);
    if (id < 0 || id > (is_extended ? 0x1FFFFFFF : 0x7FF)) return PARAM;
    if (flags & FDF && (flags & RTR || !handle->is_fd)) return PARAM;
    if (flags & BRS && !(flags & FDF)) return PARAM;
    if (length && !data) return PARAM;
    if (flags & FDF) {
        static const unsigned sizes[] = {12, 16, 20, 24, 32, 48, 64};
        int fits = length <= 8;
        for (int i = 0; i < 7; i++) fits |= length == sizes[i];
        if (!fits) return PARAM;
    } else if (length > 8) {
        violation("a classic frame of %u bytes", length);
        length = 8;
    }
    memset(record, 0, sizeof *record);
    record->kind = flags & ERROR_FRAME ? KIND_ERROR : KIND_FRAME;
    record->flags = (uint8_t)((is_extended ? FLAG_EXTENDED : 0) | (flags & RTR ? FLAG_REMOTE : 0) | (flags & FDF ? FLAG_FD : 0) |
                              (flags & BRS ? FLAG_BRS : 0));
    record->id = (uint32_t)id;
    record->length = (uint8_t)length;
    if (!(flags & RTR)) memcpy(record->data, data, length);
    return OK;
}

EXPORT int canWrite(int number, long id, void *data, unsigned length, unsigned flags) {
    HANDLE("canWrite", number);
    called("canWrite handle=%d id=0x%lx length=%u flags=0x%x", number, (unsigned long)id, length, flags);
    Record record;
    int status = checked(handle, id, data, length, flags, &record);
    if (status != OK) return status;
    if (!handle->on_bus) return TXBUFOFL;
    flush(handle);
    if (handle->pending_count >= (uint32_t)hook("tx_depth", 64)) return TXBUFOFL;
    handle->pending[handle->pending_count++] = record;
    flush(handle);
    return OK;
}

EXPORT int canWriteSync(int number, unsigned long milliseconds) {
    HANDLE("canWriteSync", number);
    called("canWriteSync handle=%d ms=%lu", number, milliseconds);
    struct timespec start, now, pause = {.tv_nsec = 1000000};
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (;;) {
        flush(handle);
        if (unplugged) return NOTFOUND;
        if (!handle->pending_count) return OK;
        clock_gettime(CLOCK_MONOTONIC, &now);
        if ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 >= (long)milliseconds) return TIMEOUT;
        nanosleep(&pause, NULL);
    }
}

EXPORT int canWriteWait(int number, long id, void *data, unsigned length, unsigned flags, unsigned long milliseconds) {
    int status = canWrite(number, id, data, length, flags);
    return status == OK ? canWriteSync(number, milliseconds) : status;
}

EXPORT int canFlushTransmitQueue(int number) {
    HANDLE("canFlushTransmitQueue", number);
    handle->pending_count = 0;
    return OK;
}

/* --- receiving ------------------------------------------------------------------------------------------- */

/* Take the next record that this handle hears. */
static int take(Handle *handle, Record *record) {
    Port *port = &ports[handle->port];
    while (port_take(handle->port, record)) {
        if (!handle->on_bus) continue;
        if (port->overrun) {
            port->overrun = 0;
            handle->overrun |= SW_OVERRUN;
        }
        if (record->kind == KIND_OVERRUN) {
            handle->overrun |= record->code & (HW_OVERRUN | SW_OVERRUN);
            __atomic_add_fetch(&channels[handle->channel].counted.overruns, 1, __ATOMIC_RELAXED);
            continue;
        }
        if (record->kind == KIND_STATE) continue;
        if (record->kind == KIND_FRAME) {
            int is_local = record->code == (FROM_CHANNEL | (uint32_t)handle->channel);
            if (is_local && !(record->flags & FLAG_ECHO) && !handle->local_echo) continue;
            int is_extended = record->flags & FLAG_EXTENDED ? 1 : 0;
            if ((handle->code[is_extended] ^ record->id) & handle->mask[is_extended]) continue;
            if (record->flags & FLAG_FD && !handle->is_fd) {
                record->kind = KIND_ERROR;
                record->code = 0;
            }
        }
        return 1;
    }
    return 0;
}

EXPORT int canRead(int number, long *id, void *data, unsigned *length, unsigned *flags, unsigned long *time) {
    HANDLE("canRead", number);
    Record record;
    if (!take(handle, &record)) return unplugged ? NOTFOUND : NOMSG;
    unsigned found_flags = handle->overrun;
    handle->overrun = 0;
    if (record.kind == KIND_ERROR) {
        found_flags |= ERROR_FRAME | (record.code & BUS_ERRORS);
        channels[handle->channel].counted.errFrame++;
        record.length = 0;
    } else {
        int is_local = record.code == (FROM_CHANNEL | (uint32_t)handle->channel);
        found_flags |= record.flags & FLAG_EXTENDED ? EXT : STD;
        found_flags |= (record.flags & FLAG_REMOTE ? RTR : 0) | (record.flags & FLAG_FD ? FDF : 0);
        found_flags |= (record.flags & FLAG_BRS ? BRS : 0) | (record.flags & FLAG_ESI ? ESI : 0);
        found_flags |= record.code & 0x08000000 ? TXRQ : 0; /* only injected ones */
        if (record.flags & FLAG_ECHO) found_flags |= TXACK;
        else if (is_local && handle->local_ack) found_flags |= LOCAL_TXACK;
    }
    if (id) *id = (long)record.id;
    if (length) *length = record.length;
    if (flags) *flags = found_flags;
    int64_t ticks = (record.time_ns - channels[handle->channel].start_ns) / 1000 / handle->scale;
    if (time) *time = (unsigned long)ticks;
    if (data && !(record.flags & FLAG_REMOTE)) memcpy(data, record.data, record.length);
    return OK;
}

static int wait_for(Handle *handle, unsigned long milliseconds) {
    if (unplugged && !port_count(handle->port)) return NOTFOUND;
    int is_there = port_wait(handle->port, milliseconds >= 0xFFFFFFFF ? -1 : (int64_t)milliseconds);
    if (is_there) return OK;
    return unplugged ? NOTFOUND : TIMEOUT;
}

EXPORT int canReadSync(int number, unsigned long milliseconds) {
    HANDLE("canReadSync", number);
    return wait_for(handle, milliseconds);
}

EXPORT int canReadWait(int number, long *id, void *data, unsigned *length, unsigned *flags, unsigned long *time, unsigned long milliseconds) {
    ORDERED("canReadWait");
    for (;;) {
        int status = canRead(number, id, data, length, flags, time);
        if (status != NOMSG || !milliseconds) return status;
        Handle *handle = found(number);
        if (!handle || wait_for(handle, milliseconds) == TIMEOUT) return NOMSG;
    }
}

EXPORT int canFlushReceiveQueue(int number) {
    HANDLE("canFlushReceiveQueue", number);
    port_clear(handle->port);
    return OK;
}

EXPORT int canGetRawHandle(int number, void *out) {
    HANDLE("canGetRawHandle", number);
    called("canGetRawHandle handle=%d", number);
    if (!hook("raw_handle", 1)) return NOT_IMPLEMENTED;
    if (!out) return PARAM;
    *(int *)out = ports[handle->port].ready;
    return OK;
}

/* --- state ----------------------------------------------------------------------------------------------- */

static uint64_t ticks_now(const Handle *handle) {
    return (uint64_t)((now_ns() - channels[handle->channel].start_ns) / 1000 / handle->scale);
}

EXPORT int kvReadTimer(int number, unsigned *ticks) {
    HANDLE("kvReadTimer", number);
    called("kvReadTimer handle=%d", number);
    if (!ticks) return PARAM;
    *ticks = (unsigned)ticks_now(handle);
    return OK;
}

EXPORT int kvReadTimer64(int number, int64_t *ticks) {
    HANDLE("kvReadTimer64", number);
    called("kvReadTimer64 handle=%d", number);
    if (!ticks) return PARAM;
    *ticks = (int64_t)ticks_now(handle);
    return OK;
}

EXPORT int canRequestChipStatus(int number) {
    HANDLE("canRequestChipStatus", number);
    called("canRequestChipStatus handle=%d", number);
    handle->chip_requested = 1;
    return OK;
}

EXPORT int canReadStatus(int number, unsigned long *status) {
    HANDLE("canReadStatus", number);
    called("canReadStatus handle=%d", number);
    if (unplugged) return NOTFOUND;
    if (!status) return PARAM;
    if (!handle->chip_requested) violation("canReadStatus before canRequestChipStatus");
    handle->chip_requested = 0;
    *status = channels[handle->channel].status | (handle->pending_count ? 0x10 : 0) | (port_count(handle->port) ? 0x20 : 0);
    return OK;
}

EXPORT int canReadErrorCounters(int number, unsigned *tx, unsigned *rx, unsigned *overruns) {
    HANDLE("canReadErrorCounters", number);
    called("canReadErrorCounters handle=%d", number);
    if (unplugged) return NOTFOUND;
    if (tx) *tx = (unsigned)hook("tx_errors", 0);
    if (rx) *rx = (unsigned)hook("rx_errors", 0);
    if (overruns) *overruns = (unsigned)hook("overruns", 0);
    return OK;
}

EXPORT int canRequestBusStatistics(int number) {
    HANDLE("canRequestBusStatistics", number);
    called("canRequestBusStatistics handle=%d", number);
    handle->statistics_requested = 1;
    return OK;
}

EXPORT int canGetBusStatistics(int number, canBusStatistics *statistics, size_t size) {
    HANDLE("canGetBusStatistics", number);
    called("canGetBusStatistics handle=%d", number);
    if (!statistics || size != sizeof *statistics) return PARAM;
    if (!handle->statistics_requested) {
        violation("canGetBusStatistics before canRequestBusStatistics");
        return NOT_IMPLEMENTED;
    }
    *statistics = channels[handle->channel].counted;
    statistics->busLoad = (unsigned long)hook("bus_load", 0);
    return OK;
}

EXPORT int kvFlashLeds(int number, int action, int milliseconds) {
    HANDLE("kvFlashLeds", number);
    called("kvFlashLeds handle=%d action=%d ms=%d", number, action, milliseconds);
    if (!hook("leds", 1)) return NOT_IMPLEMENTED;
    return action < 0 || action > 25 || milliseconds < 0 ? PARAM : OK;
}

static int setting(void *buffer, unsigned size, unsigned exact, int *value) {
    if (!buffer || size != exact) return PARAM;
    *value = exact == 1 ? *(uint8_t *)buffer : (int)*(uint32_t *)buffer;
    return OK;
}

EXPORT int canIoCtl(int number, unsigned function, void *buffer, unsigned size) {
    HANDLE("canIoCtl", number);
    char name[32];
    int64_t ordered;
    int value, status;
    snprintf(name, sizeof name, "canIoCtl:%u", function);
    if (told_to_fail(name, &ordered)) return (int)ordered;
    called("canIoCtl handle=%d function=%u size=%u value=%d", number, function, size,
           buffer && size == 1 ? *(uint8_t *)buffer : buffer && size == 4 ? *(int *)buffer : -1);
    switch (function) {
    case 1: case 2: case 5: case 44: return OK;
    case 6:
        if ((status = setting(buffer, size, 4, &value)) == OK && value > 0) handle->scale = (uint32_t)value;
        return status;
    case 7:
        if ((status = setting(buffer, size, 4, &value)) != OK || value < 0 || value > 2) return PARAM;
        handle->txack = value;
        return OK;
    case 8: return number_out(buffer, buffer ? size : 0, port_count(handle->port), 4);
    case 9: return number_out(buffer, buffer ? size : 0, handle->pending_count, 4);
    case 10: port_clear(handle->port); return OK;
    case 11:
        if (buffer || size) return PARAM;
        handle->pending_count = 0;
        return OK;
    case 12: return number_out(buffer, buffer ? size : 0, handle->scale, 4);
    case 13: return setting(buffer, size, 4, &value);
    case 20: return setting(buffer, size, 1, &handle->reports_access);
    case 27: return handle->on_bus ? PARAM : setting(buffer, size, 4, &value);
    case 30: case 40: case 43: return setting(buffer, size, function == 43 ? sizeof(long) : 4, &value);
    case 31: return number_out(buffer, buffer ? size : 0, (uint64_t)handle->txack, 4);
    case 32: return setting(buffer, size, 1, &handle->local_echo);
    case 33: return NOT_IMPLEMENTED;
    case 46: return setting(buffer, size, (unsigned)hook("local_txack_length", 4), &handle->local_ack);
    default: return PARAM;
    }
}

/* --- object buffers: frames that the device sends by itself --------------------------------------------------- */

static void *buffer_send(void *argument) {
    Handle *handle = ((void **)argument)[0];
    Buffer *buffer = ((void **)argument)[1];
    free(argument);
    uint32_t sent = 0;
    pthread_mutex_lock(&buffer->lock);
    while (!buffer->stop) {
        if (!buffer->enabled) {
            sent = 0;
            pthread_cond_wait(&buffer->changed, &buffer->lock);
            continue;
        }
        Record record = buffer->record;
        if (handle->on_bus && hook("acknowledged", 1)) transmit(handle, record);
        if (buffer->messages && ++sent >= buffer->messages) {
            buffer->enabled = 0;
            continue;
        }
        struct timespec end;
        clock_gettime(CLOCK_MONOTONIC, &end);
        int64_t ns = end.tv_nsec + (int64_t)buffer->period_us * 1000;
        end.tv_sec += ns / 1000000000, end.tv_nsec = ns % 1000000000;
        while (buffer->enabled && !buffer->stop && !pthread_cond_timedwait(&buffer->changed, &buffer->lock, &end)) continue;
    }
    pthread_mutex_unlock(&buffer->lock);
    return NULL;
}

EXPORT int canObjBufAllocate(int number, int type) {
    HANDLE("canObjBufAllocate", number);
    called("canObjBufAllocate handle=%d type=%d", number, type);
    if (!hook("object_buffers", 1)) return NOT_IMPLEMENTED;
    if (type != 1 && type != 2) return PARAM;
    for (int i = 0; i < MAX_BUFFERS; i++) {
        Buffer *buffer = &handle->buffers[i];
        if (buffer->used) continue;
        memset(buffer, 0, sizeof *buffer);
        pthread_mutex_init(&buffer->lock, NULL);
        pthread_condattr_t monotonic;
        pthread_condattr_init(&monotonic);
        pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
        pthread_cond_init(&buffer->changed, &monotonic);
        buffer->used = 1;
        void **pair = malloc(2 * sizeof *pair);
        pair[0] = handle, pair[1] = buffer;
        pthread_create(&buffer->thread, NULL, buffer_send, pair);
        opened(1);
        return i;
    }
    return NOCHANNELS;
}

#define BUFFER(name, number, index)                                                        \
    HANDLE(name, number);                                                                  \
    Buffer *buffer = index >= 0 && index < MAX_BUFFERS ? &handle->buffers[index] : NULL;   \
    if (!buffer || !buffer->used) {                                                        \
        violation(name ": the buffer %d is not allocated", index);                         \
        return PARAM;                                                                      \
    }

EXPORT int canObjBufFree(int number, int index) {
    BUFFER("canObjBufFree", number, index)
    called("canObjBufFree handle=%d index=%d", number, index);
    buffer_end(buffer);
    return OK;
}

EXPORT int canObjBufFreeAll(int number) {
    HANDLE("canObjBufFreeAll", number);
    for (int i = 0; i < MAX_BUFFERS; i++) buffer_end(&handle->buffers[i]);
    return OK;
}

EXPORT int canObjBufWrite(int number, int index, int id, void *data, unsigned length, unsigned flags) {
    BUFFER("canObjBufWrite", number, index)
    called("canObjBufWrite handle=%d index=%d id=0x%x length=%u flags=0x%x", number, index, (unsigned)id, length, flags);
    Record record;
    int status = checked(handle, id, data, length, flags, &record);
    if (status != OK) return status;
    pthread_mutex_lock(&buffer->lock);
    buffer->record = record;
    buffer->has_message = 1;
    pthread_mutex_unlock(&buffer->lock);
    return OK;
}

EXPORT int canObjBufSetPeriod(int number, int index, unsigned microseconds) {
    BUFFER("canObjBufSetPeriod", number, index)
    called("canObjBufSetPeriod handle=%d index=%d us=%u", number, index, microseconds);
    if (!microseconds) return PARAM;
    buffer->period_us = microseconds;
    return OK;
}

EXPORT int canObjBufSetMsgCount(int number, int index, unsigned messages) {
    BUFFER("canObjBufSetMsgCount", number, index)
    called("canObjBufSetMsgCount handle=%d index=%d count=%u", number, index, messages);
    buffer->messages = messages;
    return OK;
}

static int enable(Buffer *buffer, int enabled) {
    if (enabled && (!buffer->has_message || !buffer->period_us)) {
        violation("canObjBufEnable before canObjBufWrite and canObjBufSetPeriod");
        return PARAM;
    }
    pthread_mutex_lock(&buffer->lock);
    buffer->enabled = enabled;
    pthread_cond_broadcast(&buffer->changed);
    pthread_mutex_unlock(&buffer->lock);
    return OK;
}

EXPORT int canObjBufEnable(int number, int index) {
    BUFFER("canObjBufEnable", number, index)
    called("canObjBufEnable handle=%d index=%d", number, index);
    return enable(buffer, 1);
}

EXPORT int canObjBufDisable(int number, int index) {
    BUFFER("canObjBufDisable", number, index)
    called("canObjBufDisable handle=%d index=%d", number, index);
    return enable(buffer, 0);
}

/* --- for tests --------------------------------------------------------------------------------------------- */

static void library_reset(void) {
    for (int i = 0; i < MAX_HANDLES; i++)
        if (handles[i]) release(handles[i]);
    memset(channels, 0, sizeof channels);
    initialized = unplugged = 0;
}

static int64_t library_layout(const char *structure, const char *field) {
    LAYOUT(canBusStatistics)
    FIELD(canBusStatistics, stdData)
    FIELD(canBusStatistics, stdRemote)
    FIELD(canBusStatistics, extData)
    FIELD(canBusStatistics, extRemote)
    FIELD(canBusStatistics, errFrame)
    FIELD(canBusStatistics, busLoad)
    FIELD(canBusStatistics, overruns)
    LAYOUT(kvBusParamsTq)
    FIELD(kvBusParamsTq, tq)
    FIELD(kvBusParamsTq, phase1)
    FIELD(kvBusParamsTq, phase2)
    FIELD(kvBusParamsTq, sjw)
    FIELD(kvBusParamsTq, prop)
    FIELD(kvBusParamsTq, prescaler)
    return -1;
}

static int library_inject(int32_t channel, const Record *record) {
    if (channel < 0 || channel >= channel_count()) return -1;
    if (record->kind == KIND_STATE) channels[channel].status = record->code;
    Record copy = *record;
    copy.time_ns = (copy.time_ns ? copy.time_ns : now_ns());
    int count = 0;
    for (int i = 0; i < MAX_HANDLES; i++)
        if (handles[i] && handles[i]->channel == channel && handles[i]->on_bus) {
            port_put(&ports[handles[i]->port], &copy);
            count++;
        }
    return count || record->kind == KIND_STATE ? 0 : -1;
}

static void library_unplug(int32_t device) {
    (void)device; /* there is one */
    Record wake = {.kind = KIND_STATE};
    unplugged = 1;
    for (int i = 0; i < MAX_HANDLES; i++)
        if (handles[i]) port_put(&ports[handles[i]->port], &wake);
}
